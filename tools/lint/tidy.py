"""tools/lint/tidy.py BUILD_DIR CACHE_DIR CHECKS FILE...: clang-tidy-14 on each file, as many at once
as there are cores; CHECKS come on top of .clang-tidy's. What it said is kept under the hash of all that it read (the file, every header of
ours that it includes, the compile command, .clang-tidy), so only what changed is looked at again."""
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import time

TIDY = "clang-tidy-14"
KEEP_S = 30 * 24 * 3600  # what nobody asked for in so long is dropped
QUOTED = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


@functools.cache
def content(path):
    with open(path, "rb") as file:
        return file.read()


@functools.cache
def generated(build):
    """Headers made in the build directory, by the names that they are included by."""
    found = {}
    for top, _, names in os.walk(os.path.join(build, "sql")):
        found.update({name: os.path.join(top, name) for name in names if name.endswith(".h")})
    return found


def place_of(name, build):
    for path in (name, os.path.join(build, "proto", name), generated(build).get(name)):
        if path and os.path.exists(path):
            return path
    return None  # a library's


def reads(path, build):
    """The file and every header of ours below it."""
    seen, waiting = set(), [path]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        names = (name.decode() for name in QUOTED.findall(content(path)))
        waiting += [place for name in names if (place := place_of(name, build))]
    return sorted(seen)


def key_of(path, command, build, common):
    digest = hashlib.sha256(common + command.encode())
    for read in reads(path, build):
        digest.update(read.encode() + hashlib.sha256(content(read)).digest())
    return digest.hexdigest()


def look(path, build, checks):
    done = subprocess.run([TIDY, "--quiet", "-p", build, "--checks=" + checks, path], capture_output=True, text=True, check=False)
    root = os.getcwd() + "/"
    return done.stdout.replace(root, "") if done.returncode else ""


def tell(path, kept, build, checks):
    """What clang-tidy says of the file: from the cache or anew."""
    try:
        with open(kept, encoding="utf-8") as file:
            said = file.read()
        os.utime(kept)
        return said, False
    except FileNotFoundError:
        pass
    said = look(path, build, checks)
    with open(kept + ".new", "w", encoding="utf-8") as file:
        file.write(said)
    os.replace(kept + ".new", kept)
    return said, True


def drop_old(cache):
    for entry in os.scandir(cache):
        if time.time() - entry.stat().st_mtime > KEEP_S:
            os.unlink(entry.path)


def main(build, cache, checks, *files):
    os.makedirs(cache, exist_ok=True)
    drop_old(cache)
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = {os.path.relpath(one["file"]): one["command"].replace(os.getcwd(), ".") for one in json.load(file)}
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    common = version + content(".clang-tidy") + checks.encode()
    files = [path for path in files if path in commands]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        keys = {path: key_of(path, commands[path], build, common) for path in files}
        # the longest first, or the last one would run alone
        ordered = sorted(files, key=lambda path: -len(content(path)))
        told = list(pool.map(lambda path: tell(path, os.path.join(cache, keys[path]), build, checks), ordered))
    for said, _ in sorted(told):
        sys.stdout.write(said)
    print(f"  clang-tidy: {len(files)} files, {sum(new for _, new in told)} of them anew")
    return any(said for said, _ in told)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
