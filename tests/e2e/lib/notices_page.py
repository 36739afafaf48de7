"""The pages in a real browser: the inbox on a tablet that one person hands to the next, and the front door."""
import json

import browser
import shop

EMPTY = "Nothing yet."
# Its maker's push service cannot be reached here: what a browser would subscribe with is made up, the rest is the
# browser's own. The key is a real one, since the shop looks at it.
NO_PUSH_SERVICE = """
const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
PushManager.prototype.getSubscription = async () => sessionStorage.made ? {
  options: { applicationServerKey: bytes(sessionStorage.madeUnder).buffer },
  toJSON: () => JSON.parse(sessionStorage.made), unsubscribe: async () => delete sessionStorage.made } : null;
PushManager.prototype.subscribe = async function ({ applicationServerKey }) {
  if (sessionStorage.made && sessionStorage.madeUnder !== applicationServerKey)
    throw new DOMException("A subscription with a different applicationServerKey already exists", "InvalidStateError");
  if (sessionStorage.made) return this.getSubscription();
  sessionStorage.madeUnder = applicationServerKey;
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const p256dh = text(await crypto.subtle.exportKey("raw", pair.publicKey));
  sessionStorage.made = JSON.stringify({ endpoint: "https://127.0.0.1:1/" + crypto.randomUUID(),
                                         keys: { p256dh, auth: text(crypto.getRandomValues(new Uint8Array(16))) } });
  return this.getSubscription();
};
"""
# An answer is held back for as long as a test likes, or lost on its way.
BAD_LINE = """
const real = window.fetch;
window.fetch = async (path, ...rest) => {
  const reply = await real(path, ...rest);
  if (path === window.slow) await new Promise((go) => { window.let_go = go; });
  if (path === window.lost) {
    window.lost = null;
    throw new TypeError("Failed to fetch");
  }
  return reply;
};
"""
MENU_IN = """
const real = window.fetch;
window.fetch = async (path, ...rest) => {
  const reply = await real(path, ...rest);
  return path === "/menu" ? Response.json({ ...await reply.json(), currency: "%s" }) : reply;
};
"""


class Person:
    def __init__(self):
        self.id, self.token = shop.newcomer()
        self.handle, self.password = shop.accounts[self.token]

    def is_told_something(self):
        """Of an order of theirs, which is over then."""
        status, order = shop.insist("POST", "/orders", self.token, shop.LATTE)
        assert status == 201, order
        status, answer = shop.insist("POST", f"/orders/{order['id']}/accept", shop.login("barista"), {})
        assert status == 200, answer
        shop.within(shop.PATIENCE_S, self.notices)
        shop.insist("POST", f"/orders/{order['id']}/ready", shop.login("barista"), {})
        shop.insist("POST", f"/orders/{order['id']}/pickup", self.token, {})
        shop.within(shop.PATIENCE_S, lambda: any("Picked up" in notice["title"] for notice in self.notices()))
        return order

    def notices(self):
        return shop.call("GET", "/inbox", self.token)[1]["notices"]

    def sign_in(self, page, submit="form.requestSubmit()"):
        page.eval(f"""{{
            const form = document.querySelector("#sign-in");
            form.elements.handle.value = {json.dumps(self.handle)};
            form.elements.password.value = {json.dumps(self.password)};
            {submit};
        }}""")
        page.until("document.querySelector('#inside').checkVisibility()")

    def sessions(self):
        """Those of theirs that are not the test's own."""
        status, answer = shop.insist("GET", "/sessions", self.token)
        assert status == 200, answer
        return {session["id"] for session in answer["sessions"] if not session["current"]}

    def is_signed_out_of(self, session):
        status, answer = shop.insist("DELETE", f"/sessions/{session}", self.token)
        assert status == 204, answer

    def is_signed_out_everywhere(self):
        for session in self.sessions():  # of which the page of the fact before may be signing out just now
            status, answer = shop.insist("DELETE", f"/sessions/{session}", self.token)
            assert status in (204, 404), answer

    def devices(self):
        """As pairs: which, and of what session."""
        return shop.sql(f"SELECT id, session_id FROM notify.devices WHERE customer_id = '{self.id}'", "customer_db")


def reads_their_inbox(page, person):
    person.sign_in(page)
    page.until("document.querySelector('#inbox .about')")


def nothing_of_one_person_is_left_to_the_next():
    page = browser.Page(chromium, "/notices")
    reads_their_inbox(page, grandma)
    grandma.is_signed_out_everywhere()
    page.until("document.querySelector('#door').checkVisibility()")
    assert page.text("#inbox") == EMPTY, page.text("#inbox")
    child.sign_in(page)
    assert page.text("#inbox") == EMPTY, page.text("#inbox")


def who_signs_out_leaves_nothing_on_the_page_and_no_session():
    page = browser.Page(chromium, "/notices")
    before = grandma.sessions()
    reads_their_inbox(page, grandma)
    assert len(grandma.sessions() - before) == 1, grandma.sessions()
    page.click("#sign-out")
    assert page.is_seen("#door") and not page.is_seen("#inside")
    assert page.text("#inbox") == EMPTY, page.text("#inbox")
    shop.within(shop.PATIENCE_S, lambda: grandma.sessions() == before)
    assert page.text("#said") == "You are signed out.", page.text("#said")


def two_quick_taps_sign_in_once():
    page = browser.Page(chromium, "/notices")
    before = grandma.sessions()
    grandma.sign_in(page, "for (const tap of [1, 2]) form.querySelector('button').click(tap)")
    page.eval("new Promise((go) => setTimeout(go, 1000))")
    assert len(grandma.sessions() - before) == 1, grandma.sessions()
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: grandma.sessions() == before)
    page.until("!document.querySelector('#sign-in button').disabled")


def an_answer_that_comes_late_is_not_shown_to_the_next():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    page.eval("window.slow = '/inbox'")
    grandma.sign_in(page)
    page.until("window.let_go")
    page.eval("window.slow = null")
    page.click("#sign-out")
    child.sign_in(page)
    page.eval("window.let_go()")
    page.eval("new Promise((go) => setTimeout(go, 500))")
    assert page.text("#inbox") == EMPTY, page.text("#inbox")
    page.click("#sign-out")


def will_be_told(person):
    """A page, still signed in to, and the device that it has become."""
    chromium.ask("Browser.grantPermissions", origin=shop.URL, permissions=["notifications"])
    person.is_signed_out_everywhere()
    page = browser.Page(chromium, "/notices", NO_PUSH_SERVICE + BAD_LINE)
    person.sign_in(page)
    page.click("#subscribe")
    page.until("document.querySelector('#said').textContent === 'This browser will be told.'")
    device, = person.devices()
    return page, device


def who_signs_out_is_told_nothing_more_in_this_browser():
    page, _ = will_be_told(child)
    page.open("/notices")  # another session than that which wanted to be told
    child.sign_in(page)
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: not child.devices())
    page.until("!sessionStorage.made")


def who_signs_out_amid_a_registration_is_told_nothing_more():
    page, _ = will_be_told(child)
    page.open("/notices")
    page.eval("window.slow = '/push-key'")
    child.sign_in(page)
    page.until("window.let_go")
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: not child.devices())
    page.eval("window.let_go()")
    page.eval("new Promise((go) => setTimeout(go, 1000))")
    assert not page.eval("sessionStorage.made"), "a subscription that nobody asked for"
    assert not child.devices(), child.devices()


def who_wants_to_be_told_at_once_after_a_sign_out_is():
    page, _ = will_be_told(child)
    page.open("/notices")
    page.eval("window.slow = '/push-key'")
    child.sign_in(page)
    page.until("window.let_go")
    page.eval("window.slow = null")
    page.click("#sign-out")
    grandma.sign_in(page)
    page.click("#subscribe")
    page.eval("new Promise((go) => setTimeout(go, 500))")
    page.eval("window.let_go()")
    page.until("document.querySelector('#said').textContent === 'This browser will be told.'")
    page.eval("new Promise((go) => setTimeout(go, 500))")
    (address,), = shop.sql(f"SELECT address FROM notify.devices WHERE customer_id = '{grandma.id}'", "customer_db")
    assert address == page.eval("sessionStorage.made && JSON.parse(sessionStorage.made).endpoint"), address
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: not grandma.devices())


def a_browser_is_told_on_after_the_session_that_it_was_registered_in():
    page, (device, session) = will_be_told(child)
    page.open("/notices")
    child.sign_in(page)
    shop.within(shop.PATIENCE_S, lambda: child.devices() and child.devices()[0][1] != session)
    child.is_signed_out_of(session)
    assert [id for id, _ in child.devices()] == [device], child.devices()
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: not child.devices())


def the_shop_gets_another_key(page):
    """As the browser sees it: the key that it had then was another."""
    made = page.eval("sessionStorage.made")
    page.eval("sessionStorage.madeUnder = text(crypto.getRandomValues(new Uint8Array(65)))")
    return made


def a_browser_is_told_on_when_the_shop_has_another_key():
    page, _ = will_be_told(child)
    made = the_shop_gets_another_key(page)
    page.open("/notices")
    child.sign_in(page)
    shop.within(shop.PATIENCE_S, lambda: len(child.devices()) == 2)  # the other one's end the push service tells
    assert page.eval("sessionStorage.made") != made
    page.click("#sign-out")


def who_wants_to_be_told_is_when_the_shop_has_another_key():
    page, _ = will_be_told(child)
    made = the_shop_gets_another_key(page)
    page.eval("document.querySelector('#said').textContent = ''")
    page.click("#subscribe")
    page.until("document.querySelector('#said').textContent === 'This browser will be told.'")
    assert page.eval("sessionStorage.made") != made
    page.click("#sign-out")


def who_signs_in_after_another_is_not_told_for_that():
    page, device = will_be_told(child)
    page.open("/notices")
    reads_their_inbox(page, grandma)
    page.eval("new Promise((go) => setTimeout(go, 500))")
    assert (child.devices(), grandma.devices()) == ([device], []), (child.devices(), grandma.devices())
    page.click("#sign-out")


def whose_access_token_has_run_out_reads_on():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    grandma.is_signed_out_everywhere()
    reads_their_inbox(page, grandma)
    made, = grandma.sessions()
    told, = shop.sql(f"SELECT device_id FROM auth.sessions WHERE id = '{made}'", "customer_db")
    assert told == [page.eval("localStorage.browser")], told  # who says so at both may ask once more
    for lost in ("null", "'/token/refresh'"):  # and when the answer to the renewal is lost
        page.eval(f"window.lost = {lost}; session.accessToken = 'over'")
        page.until("!session || session.accessToken !== 'over'")
        assert page.is_seen("#inside"), page.text("#said")
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: not grandma.sessions())


def trouble_is_told_as_long_as_it_lasts():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    reads_their_inbox(page, grandma)
    page.eval("window.lost = '/inbox'")
    page.until("document.body.innerText.includes('cannot be had')")
    page.until("!document.body.innerText.includes('cannot be had')")
    page.click("#sign-out")


def what_was_told_before_today_has_its_date():
    shop.sql("UPDATE notify.notices SET created_at = created_at - interval '2 days'"
             f" WHERE customer_id = '{grandma.id}' AND stage = 'ready'", "customer_db")
    page = browser.Page(chromium, "/notices")
    reads_their_inbox(page, grandma)
    day = "new Date(Date.now() - 2 * 864e5).toLocaleDateString(undefined, { dateStyle: 'short' })"
    dated = page.eval(f"""[...document.querySelectorAll("#inbox .line")].map((line) => line.textContent)
                          .filter((text) => text.includes({day}))""")
    assert len(dated) == 2 and any("Ready to pick up" in text for text in dated), dated  # the Live Activity, too
    page.click("#sign-out")


def a_notice_says_which_order_it_is_of():
    page = browser.Page(chromium, "/notices")
    reads_their_inbox(page, grandma)
    assert f"Ready to pick up ({order['number']})" in page.text("#inbox"), page.text("#inbox")
    page.click("#sign-out")


def prices_are_in_the_currency_of_the_menu():
    for script, sign in (("", "€"), (MENU_IN % "USD", "$"), (MENU_IN % "", "3.80")):  # an older shop says none
        page = browser.Page(chromium, "/", script)
        page.until("document.querySelector('.price')")
        prices = page.eval("[...document.querySelectorAll('.price')].map((price) => price.textContent)")
        assert any(sign in price for price in prices), prices
        assert sign == "€" or not any("€" in price for price in prices), prices


if not browser.PROGRAM:
    print("skip all_of_them: there is no chromium here")
    shop.finish()
grandma, child, chromium = Person(), Person(), browser.Browser()
try:
    order = grandma.is_told_something()
    shop.fact(nothing_of_one_person_is_left_to_the_next)
    shop.fact(who_signs_out_leaves_nothing_on_the_page_and_no_session)
    shop.fact(two_quick_taps_sign_in_once)
    shop.fact(an_answer_that_comes_late_is_not_shown_to_the_next)
    shop.fact(who_signs_out_is_told_nothing_more_in_this_browser)
    shop.fact(who_signs_out_amid_a_registration_is_told_nothing_more)
    shop.fact(who_wants_to_be_told_at_once_after_a_sign_out_is)
    shop.fact(a_browser_is_told_on_after_the_session_that_it_was_registered_in)
    shop.fact(a_browser_is_told_on_when_the_shop_has_another_key)
    shop.fact(who_wants_to_be_told_is_when_the_shop_has_another_key)
    shop.fact(who_signs_in_after_another_is_not_told_for_that)
    shop.fact(whose_access_token_has_run_out_reads_on)
    shop.fact(trouble_is_told_as_long_as_it_lasts)
    shop.fact(what_was_told_before_today_has_its_date)
    shop.fact(a_notice_says_which_order_it_is_of)
    shop.fact(prices_are_in_the_currency_of_the_menu)
finally:
    chromium.close()
shop.finish()
