"""The inbox's page in a real browser, on a tablet that one person hands to the next."""
import json

import browser
import shop

EMPTY = "Nothing yet."
# Its maker's push service cannot be reached here: what a browser would subscribe with is made up, the rest is the
# browser's own. The key is a real one, since the shop looks at it.
NO_PUSH_SERVICE = """
const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=/g, "");
PushManager.prototype.getSubscription = async () => sessionStorage.endpoint && {
  unsubscribe: async () => delete sessionStorage.endpoint };
PushManager.prototype.subscribe = async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const p256dh = text(await crypto.subtle.exportKey("raw", pair.publicKey));
  sessionStorage.endpoint = "https://127.0.0.1:1/" + crypto.randomUUID();
  return { toJSON: () => ({ endpoint: sessionStorage.endpoint,
                            keys: { p256dh, auth: text(crypto.getRandomValues(new Uint8Array(16))) } }) };
};
"""
# An answer is held back for as long as a test likes.
SLOW_INBOX = """
const real = window.fetch;
window.fetch = async (path, ...rest) => {
  const reply = await real(path, ...rest);
  if (path === "/inbox" && window.isSlow) await new Promise((go) => { window.let_go = go; });
  return reply;
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

    def notices(self):
        return shop.call("GET", "/inbox", self.token)[1]["notices"]

    def sign_in(self, page):
        page.eval(f"""{{
            const form = document.querySelector("#sign-in");
            form.elements.handle.value = {json.dumps(self.handle)};
            form.elements.password.value = {json.dumps(self.password)};
            form.requestSubmit();
        }}""")
        page.until("document.querySelector('#inside').checkVisibility()")

    def sessions(self):
        """Those of theirs that are not the test's own."""
        status, answer = shop.insist("GET", "/sessions", self.token)
        assert status == 200, answer
        return {session["id"] for session in answer["sessions"] if not session["current"]}

    def is_signed_out_everywhere(self):
        for session in self.sessions():
            status, answer = shop.insist("DELETE", f"/sessions/{session}", self.token)
            assert status == 204, answer

    def devices(self):
        return shop.sql(f"SELECT id FROM notify.devices WHERE customer_id = '{self.id}'", "customer_db")


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


def an_answer_that_comes_late_is_not_shown_to_the_next():
    page = browser.Page(chromium, "/notices", SLOW_INBOX)
    page.eval("window.isSlow = true")
    grandma.sign_in(page)
    page.until("window.let_go")
    page.eval("window.isSlow = false")
    page.click("#sign-out")
    child.sign_in(page)
    page.eval("window.let_go()")
    page.eval("new Promise((go) => setTimeout(go, 500))")
    assert page.text("#inbox") == EMPTY, page.text("#inbox")
    page.click("#sign-out")


def who_signs_out_is_told_nothing_more_in_this_browser():
    chromium.ask("Browser.grantPermissions", origin=shop.URL, permissions=["notifications"])
    page = browser.Page(chromium, "/notices", NO_PUSH_SERVICE)
    child.sign_in(page)
    page.click("#subscribe")
    page.until("document.querySelector('#said').textContent === 'This browser will be told.'")
    assert len(child.devices()) == 1, child.devices()
    page.open("/notices")  # another session than that which wanted to be told
    child.sign_in(page)
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: not child.devices())
    page.until("!sessionStorage.endpoint")


if not browser.PROGRAM:
    print("skip all_of_them: there is no chromium here")
    shop.finish()
grandma, child, chromium = Person(), Person(), browser.Browser()
try:
    grandma.is_told_something()
    shop.fact(nothing_of_one_person_is_left_to_the_next)
    shop.fact(who_signs_out_leaves_nothing_on_the_page_and_no_session)
    shop.fact(an_answer_that_comes_late_is_not_shown_to_the_next)
    shop.fact(who_signs_out_is_told_nothing_more_in_this_browser)
finally:
    chromium.close()
shop.finish()
