"""Photos of drinks, by HTTP alone; Pillow makes what is put and opens what is served."""
import hashlib
import http.client
import io
import json
import os
import secrets
import signal
import struct
import subprocess
import time
import urllib.parse
import zlib

from PIL import Image, ImageFile

import shop

RUN = os.environ["TEST_STACK_RUN"]
PUBLIC_URL = shop.settings_of("customer-service")["PUBLIC_URL"]
SIZES = {"small": 160, "medium": 480, "large": 1080}
RGBA = 6  # as PNG says it
PLACE = "52.3676 N, 4.9041 E"
ADMIN, BARISTA = shop.login("admin"), shop.login("barista")


def send(method, path, token=None, body=None, headers=None):
    """(status, headers, bytes): bodies that are no JSON. Who came too often comes again."""
    return shop.within(shop.PATIENCE_S, send_once, method, path, token, body, headers)


def send_once(method, path, token, body, headers):
    place = urllib.parse.urlsplit(shop.URL)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    headers = dict(headers or {}, **({"Authorization": "Bearer " + token} if token else {}))
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        answer = reply.status, reply.headers, reply.read()
    except ConnectionError as error:
        if not body:
            raise
        raise shop.Away(repr(error)) from error  # who is refused while they still send may not hear why
    finally:
        connection.close()
    return None if reply.status in (429, 503, 504) else answer


def picture(width=1600, height=1200, mark=(255, 0, 0)):
    """Noise that does not compress well, its upper left corner in one colour."""
    noise = [Image.effect_noise((width // 8, height // 8), 80).resize((width, height)) for _ in range(3)]
    image = Image.merge("RGB", noise)
    image.paste(mark, (0, 0, width // 4, height // 4))
    return image


def encoded(image, kind="JPEG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def camera(image, orientation):
    """As a camera writes it that was turned, and that knows where it is."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = PLACE
    return encoded(image, quality=92, exif=exif)


class Drink:
    def __enter__(self):
        status, made = shop.insist("POST", "/menu", ADMIN, {
            "name": "Photo " + secrets.token_hex(6), "priceCents": 300}, key=secrets.token_hex(8))
        assert status == 201, made
        self.id = made["id"]
        return self

    def __exit__(self, *_):
        shop.insist("DELETE", f"/menu/{self.id}", ADMIN)

    def put(self, body, token=None, **headers):
        status, _, text = send("PUT", f"/menu/{self.id}/photo", token or BARISTA, body,
                               {name.replace("_", "-"): value for name, value in headers.items()})
        return status, json.loads(text)

    def photo(self):
        return shop.insist("GET", f"/menu/{self.id}/photo", ADMIN)

    def wait_until_it_is_no_longer(self, state):
        """By the database: those who ask often are held up."""
        query = f"SELECT count(*) FROM menu.photos WHERE menu_item_id = '{self.id}' AND state = '{state}'"
        shop.within(shop.PATIENCE_S, lambda: shop.sql(query) == [["0"]])

    def shown(self):
        status, item = shop.insist("GET", f"/menu/{self.id}")
        assert status == 200, item
        return item.get("photo")

    def ready(self, body):
        status, put = self.put(body, Content_Type="image/jpeg" if body[:1] == b"\xff" else "image/png")
        assert status == 202, put
        self.wait_until_it_is_no_longer("stored")
        photo = self.photo()[1]
        assert photo["id"] == put["id"] and photo["state"] == "ready", photo
        return photo


def seen(path):
    status, headers, body = send("GET", path)
    assert status == 200 and headers["Content-Type"] == "image/jpeg", (status, headers)
    image = Image.open(io.BytesIO(body))
    image.load()
    return image, body, headers


# ---- facts ----

def a_photo_is_seen_in_three_sizes():
    with Drink() as drink:
        original = encoded(picture(), quality=92)
        assert drink.shown() is None
        photo = drink.ready(original)
        assert photo["sha256"] == hashlib.sha256(original).hexdigest() and photo["bytes"] == len(original), photo
        shop.within(shop.PATIENCE_S, lambda: drink.shown() == photo["sizes"])
        before = 0
        for name, longer in SIZES.items():
            image, body, _ = seen(photo["sizes"][name])
            assert image.size == (longer, longer * 3 // 4), image.size
            assert before < len(body) < len(original), (name, len(body))
            before = len(body)


def it_is_upright_and_says_nothing_of_places():
    with Drink() as drink:
        for orientation, corner in (6, (-9, 9)), (3, (-9, -9)), (5, (9, 9)), (1, (9, 9)):
            photo = drink.ready(camera(picture(1200, 800), orientation))
            image, body, _ = seen(photo["sizes"]["medium"])
            assert (image.width < image.height) == (orientation in (5, 6)), image.size
            red, green, blue = image.getpixel((corner[0] % image.width, corner[1] % image.height))
            assert red > 200 and green < 60 and blue < 60, (orientation, red, green, blue)
            assert not image.getexif() and PLACE.encode() not in body and b"Exif" not in body


def kinds_of_pictures_are_all_read():
    image = picture(700, 500)
    clear = Image.new("RGBA", (700, 500), (0, 0, 255, 0))
    kinds = {
        "progressive": encoded(image, progressive=True), "cmyk": encoded(image.convert("CMYK")),
        "grey": encoded(image.convert("L")), "png": encoded(image, "PNG"),
        "palette": encoded(image.convert("P"), "PNG"), "one bit": encoded(image.convert("1"), "PNG"),
        "sixteen bits": encoded(Image.new("I;16", (700, 500), 40000), "PNG"), "clear": encoded(clear, "PNG"),
    }
    with Drink() as drink:
        for name, body in kinds.items():
            shown = seen(drink.ready(body)["sizes"]["small"])[0].convert("RGB")
            if name == "clear":
                assert min(shown.getpixel((50, 50))) > 250, "clear is white"
            if name == "cmyk":
                red, green, blue = shown.getpixel((5, 5))
                assert red > 200 and green < 60 and blue < 60, (red, green, blue)


def interlaced_rows(width, height):
    """As many bytes as seven passes over RGBA have, with a filter in each that is known; 7 MB of them do not compress."""
    passes = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
    size = sum((1 + 4 * -(-(width - x) // across)) * -(-(height - y) // down) for x, y, across, down in passes)
    return os.urandom(20 << 20).translate(bytes(value % 5 for value in range(256))) + bytes(size - (20 << 20))


def the_largest_that_are_let_in_are_read():
    """Each by another bound: 8 MiB as it is, 40 MiB to hold it, 24 megapixels."""
    ImageFile.MAXBLOCK = 32 << 20
    largest = {
        "progressive": encoded(picture(2640, 2640), quality=96, subsampling=0, progressive=True),
        "progressive, colours halved": encoded(picture(3712, 3712), quality=94, subsampling=2, progressive=True),
        "ordinary": encoded(picture(6000, 4000), quality=90),
        "interlaced": png(3236, 3236, 1, interlaced_rows(3236, 3236), RGBA),
    }
    with Drink() as drink:
        for name, body in largest.items():
            assert len(body) < 8 << 20, (name, len(body))
            body += bytes((8 << 20) - len(body))  # after its end nobody reads
            assert seen(drink.ready(body)["sizes"]["large"])[0].width == SIZES["large"], name


def what_was_seen_never_changes():
    with Drink() as drink:
        path = drink.ready(encoded(picture()))["sizes"]["small"]
        _, body, headers = seen(path)
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable", headers
        status, _, text = send("GET", path, headers={"If-None-Match": headers["ETag"]})
        assert status == 304 and not text
        status, head, text = send("HEAD", path)
        assert status == 200 and not text and int(head["Content-Length"]) == len(body)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, interlaced=0, rows=b"", colour=2):
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def what_is_no_good_picture_is_refused_and_changes_nothing():
    good = encoded(picture())
    refused = {
        "heic": (b"\0\0\0\x18ftypheic" + bytes(64), 415), "webp": (encoded(picture(), "WEBP"), 415),
        "text": (b"<svg/>" * 20, 415), "a bomb of 400 megapixels": (png(20000, 20000), 413),
        "a side too long": (png(30000, 10), 413), "interlaced and large": (png(4800, 4800, 1), 413),
        "cut short": (good[:len(good) // 2], 400), "no end": (png(10, 10)[:-12], 400),
        "no depth like that": (png(10, 10).replace(b"\x08\x02\0\0\0", b"\x07\x02\0\0\0", 1), 400),
    }
    with Drink() as drink:
        before = drink.ready(good)
        for name, (body, wanted) in refused.items():
            status, problem = drink.put(body)
            assert status == wanted, (name, status, problem)
            assert problem["errors"][0]["field"] == "image", (name, problem)
        status, problem = drink.put(good, Content_Type="image/heic")
        assert status == 415 and "image/jpeg" in problem["detail"], problem
        status, problem = drink.put(b"")
        assert status == 422 and problem["errors"][0]["field"] == "image", problem
        assert drink.photo()[1] == before and drink.shown() == before["sizes"]


def a_body_has_eight_mebibytes_and_only_of_those_who_may():
    with Drink() as drink:
        status, problem = drink.put(b"\xff\xd8\xff" + bytes(8 << 20))
        assert status == 413 and problem["code"] == "too_large", problem
        status, problem = drink.put(bytes(1 << 20), token=shop.login("customer"))
        assert status == 403, problem
        status, _, text = send("PUT", f"/menu/{drink.id}/photo", body=bytes(1 << 20))
        assert status == 401, text
        assert drink.photo()[0] == 404


def a_picture_that_breaks_halfway_says_so_and_leaves_the_one_before():
    whole = bytearray(encoded(picture(), quality=90))
    whole[len(whole) // 2:-2] = b""  # its end is there, half of what is before it is not
    with Drink() as drink:
        before = drink.ready(encoded(picture()))
        status, put = drink.put(bytes(whole))
        assert status == 202, put
        drink.wait_until_it_is_no_longer("stored")
        assert drink.photo()[1]["state"] == "failed", drink.photo()
        assert "ends before" in drink.photo()[1]["reason"], drink.photo()
        assert drink.shown() == before["sizes"]
        left = shop.sql(f"SELECT count(*) FROM menu.photo_parts WHERE photo_id = '{put['id']}'")
        assert [int(row[0]) for row in left] == [0], "what was put is kept"


def the_same_bytes_are_the_same_photo_and_others_replace_it():
    first, second = encoded(picture()), encoded(picture(mark=(0, 0, 255)))
    with Drink() as drink:
        one = drink.ready(first)
        assert drink.put(first)[1]["id"] == one["id"]
        other = drink.ready(second)
        assert other["id"] != one["id"]
        shop.within(shop.PATIENCE_S, lambda: drink.shown() == other["sizes"])
        seen(one["sizes"]["small"])  # notices and orders name it still
        before, status = shop.retries, shop.insist("DELETE", f"/menu/{drink.id}/photo", ADMIN)[0]
        assert status == 204 or (status == 404 and shop.retries > before), status  # a 504 may have done it
        assert drink.shown() is None and drink.photo()[0] == 404
        assert send("GET", other["sizes"]["small"])[0] == 404
        assert shop.insist("DELETE", f"/menu/{drink.id}/photo", ADMIN)[0] == 404


def workers():
    found = subprocess.run(["pgrep", "-P", str(shop.pid_of("order-service")), "-f", "photo-worker"],
                           capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def one_was_killed():
    """A worker that was at work, or just done."""
    try:
        for pid in workers()[:1]:
            os.kill(pid, signal.SIGKILL)
            return True
    except ProcessLookupError:
        pass
    return False


def attempts_when_its_worker_is_killed():
    with Drink() as drink:
        status, put = drink.put(encoded(picture(4000, 3000), quality=90, progressive=True))
        assert status == 202, put
        end = time.monotonic() + shop.PATIENCE_S
        while not one_was_killed() and time.monotonic() < end:
            pass
        drink.wait_until_it_is_no_longer("stored")
        assert drink.photo()[1]["state"] == "ready", drink.photo()
        rows = shop.sql(f"SELECT size, count(*) FILTER (WHERE part = 0) FROM menu.photo_parts "
                        f"WHERE photo_id = '{put['id']}' GROUP BY size ORDER BY size")
        assert [(row[0], int(row[1])) for row in rows] == [("large", 1), ("medium", 1), ("small", 1)], rows
        (attempts,), = shop.sql(f"SELECT attempts FROM jobs.jobs WHERE payload = '{put['id']}'")
        return int(attempts)


def a_worker_that_is_killed_is_started_again_and_the_photo_is_ready_once():
    assert any(attempts_when_its_worker_is_killed() >= 2 for _ in range(5)), "each was done before it was killed"


def what_is_ready_is_pushed_with_its_photo():
    with Drink() as drink:
        photo = drink.ready(encoded(picture()))
        shop.within(shop.PATIENCE_S, lambda: drink.shown() == photo["sizes"])
        _, token = shop.newcomer()
        address = secrets.token_hex(32)
        status, device = shop.insist("POST", "/devices", token, {"apns": {"token": address, "environment": "sandbox"}})
        assert status == 201, device
        status, order = shop.insist("POST", "/orders", token, {"items": [{"menuItemId": drink.id, "quantity": 1}]})
        assert status == 201 and order["items"][0]["photo"] == photo["sizes"]["medium"], order
        for command in "accept", "ready":
            assert shop.insist("POST", f"/orders/{order['id']}/{command}", BARISTA, {})[0] == 200

        def pushes():
            with open(os.path.join(RUN, "apns", "pushes.jsonl"), encoding="utf-8") as file:
                return [push["payload"] for push in map(json.loads, filter(str.strip, file))
                        if push["token"] == address and push["apns-push-type"] == "alert"]
        shop.within(shop.PATIENCE_S, lambda: any(push["stage"] == "ready" for push in pushes()))
        for push in pushes():
            is_ready = push["stage"] == "ready"
            assert (push["aps"].get("mutable-content") == 1) == is_ready and ("image" in push) == is_ready, push
        url = next(push["image"] for push in pushes() if push["stage"] == "ready")
        assert url == PUBLIC_URL + photo["sizes"]["medium"], url
        assert seen(urllib.parse.urlsplit(url).path)[0].width == SIZES["medium"]


def a_daemon_that_made_photos_is_small_again():
    """What AddressSanitizer keeps of freed memory (tools/stack/parts/daemons.sh) it may keep."""
    def status_kib(name):
        with open(f"/proc/{shop.pid_of('order-service')}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(name))
    with open(f"/proc/{shop.pid_of('order-service')}/maps", encoding="ascii") as file:
        libraries = file.read()
    assert "libjpeg" not in libraries and "libpng" not in libraries, "decoders are the worker's"
    allowed = 20480 if "libasan" in libraries else 2048
    with Drink() as drink:
        drink.ready(encoded(picture(2400, 1800), "PNG"))
        before = status_kib("VmRSS")
        for mark in range(5):
            drink.ready(encoded(picture(2400, 1800, (mark, 255, 0)), "PNG"))
        shop.within(shop.PATIENCE_S, lambda: status_kib("VmRSS") < before + allowed)
    print(f"  {before} KiB after one, {status_kib('VmRSS')} after six, {status_kib('VmHWM')} at most")


shop.fact(a_photo_is_seen_in_three_sizes, "MENU-06", "JOB-04", "SCN-C2")
shop.fact(it_is_upright_and_says_nothing_of_places, "MENU-06")
shop.fact(kinds_of_pictures_are_all_read, "MENU-06")
shop.fact(the_largest_that_are_let_in_are_read, "MENU-06")
shop.fact(what_was_seen_never_changes, "SCN-C2")
shop.fact(what_is_no_good_picture_is_refused_and_changes_nothing, "MENU-06")
shop.fact(a_body_has_eight_mebibytes_and_only_of_those_who_may, "MENU-06")
shop.fact(a_picture_that_breaks_halfway_says_so_and_leaves_the_one_before, "JOB-04")
shop.fact(the_same_bytes_are_the_same_photo_and_others_replace_it, "MENU-06")
shop.fact(a_worker_that_is_killed_is_started_again_and_the_photo_is_ready_once, "JOB-04", "JOB-01")
shop.fact(what_is_ready_is_pushed_with_its_photo, "PUSH-15", "SCN-B12")
shop.fact(a_daemon_that_made_photos_is_small_again, "MENU-06")
shop.finish()
