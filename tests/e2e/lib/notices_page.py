"""The pages in a real browser: the inbox on a tablet that one person hands to the next, and the front door."""
import functools
import json
import re

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
# An answer is held back for as long as a test likes, or lost on its way, some times; or the question is.
BAD_LINE = """
Object.assign(window, { asked: [], kept_alive: [], lost: {}, unheard: {} });
const real = window.fetch;
window.fetch = async (path, options) => {
  const what = `${options?.method ?? "GET"} ${path}`;
  asked.push(what);
  if (options?.keepalive) kept_alive.push(what);
  if (unheard[what]-- > 0) throw new TypeError("Failed to fetch");
  const reply = await real(path, options);
  if (what === window.slow) await new Promise((go) => { window.let_go = go; });
  if (lost[what]-- > 0) throw new TypeError("Failed to fetch");
  return reply;
};
"""
NO_SITE_DATA = """
const blocked = () => new DOMException("blocked", "SecurityError");
Object.defineProperty(window, "localStorage", { get() { throw blocked(); } });
navigator.locks.request = () => Promise.reject(blocked());
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
        """Again, should the shop have been too busy: the button is there again then."""
        page.until(f"""(() => {{
            if (document.querySelector("#inside").checkVisibility()) return true;
            if (!document.querySelector("#sign-in button").disabled) {{ {self.submits(submit)} }}
            return false;
        }})()""")

    def submits(self, submit="form.requestSubmit()"):
        return f"""
            const form = document.querySelector("#sign-in");
            form.elements.handle.value = {json.dumps(self.handle)};
            form.elements.password.value = {json.dumps(self.password)};
            {submit};"""

    def sessions(self):
        """Those of theirs that are not the test's own."""
        status, answer = shop.insist("GET", "/sessions", self.token)
        assert status == 200, answer
        return {session["id"] for session in answer["sessions"] if not session["current"]}

    def has_left(self, session):
        return session not in self.sessions()

    def is_signed_out_of(self, session):
        status, answer = shop.insist("DELETE", f"/sessions/{session}", self.token)
        assert status in (204, 404), answer  # 404: a page of it was signing out just now

    def is_signed_out_everywhere(self):
        for session in self.sessions():
            self.is_signed_out_of(session)

    def devices(self):
        """As pairs: which, and of what session."""
        return shop.sql(f"SELECT id, session_id FROM notify.devices WHERE customer_id = '{self.id}'", "customer_db")


def fact(function):
    """Its tabs end with it: what one of them holds would be kept from the next fact's."""
    @functools.wraps(function)
    def run():
        try:
            function()
        finally:
            chromium.close_pages()
    shop.fact(run)


def reads_their_inbox(page, person):
    person.sign_in(page)
    page.until("document.querySelector('#inbox .about')")


def session_of(page):
    return page.eval("JSON.parse(atob(session.accessToken.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).sid")


def wants_to_be_told(page):
    """Again, should the shop have been too busy: the page says then that it cannot."""
    page.until("""(() => {
        const said = document.querySelector("#said").textContent;
        if (!/^(One moment|This browser will)/.test(said)) document.querySelector("#subscribe").click();
        return said === "This browser will be told.";
    })()""")


def will_be_told(person):
    """A page, still signed in to, and the device that it has become."""
    person.is_signed_out_everywhere()
    page = browser.Page(chromium, "/notices", NO_PUSH_SERVICE + BAD_LINE)
    person.sign_in(page)
    wants_to_be_told(page)
    device, = person.devices()
    return page, device


def its_turns_are_over(page):
    """Those that were asked for until now: each comes in its order."""
    page.eval("navigator.locks.request('push', () => null)")


def visits_until(page, person, check):
    """A page registers its browser again once a visit, and leaves it at that should the shop be too busy."""
    def a_visit_does():
        page.open("/notices")
        person.sign_in(page)
        its_turns_are_over(page)
        return check()
    shop.within(shop.PATIENCE_S, a_visit_does)


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
    reads_their_inbox(page, grandma)
    session = session_of(page)
    assert session in grandma.sessions(), session
    page.click("#sign-out")
    assert page.is_seen("#door") and not page.is_seen("#inside")
    assert page.text("#inbox") == EMPTY, page.text("#inbox")
    shop.within(shop.PATIENCE_S, grandma.has_left, session)
    page.until("document.querySelector('#said').textContent === 'You are signed out.'")


def the_shop_is_told_of_a_sign_out_until_it_knows():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    grandma.sign_in(page)
    session = session_of(page)
    page.eval("unheard['POST /logout'] = Infinity")
    page.click("#sign-out")
    page.until("document.querySelector('#said').textContent.includes('the shop does not know yet')")
    page.eval("unheard = {}")
    shop.within(shop.PATIENCE_S, grandma.has_left, session)
    page.until("document.querySelector('#said').textContent === 'You are signed out.'")


def that_the_shop_does_not_know_yet_is_not_told_to_the_next():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    grandma.sign_in(page)
    page.eval("window.slow = 'POST /logout'; lost[slow] = 1")
    page.click("#sign-out")
    child.sign_in(page)
    page.until("window.let_go")
    page.eval("window.let_go()")
    assert page.eval("lost[slow]") == 0
    assert "the shop does not know" not in page.text("#said"), page.text("#said")


def who_taps_back_finds_nobody_signed_in():
    page = browser.Page(chromium, "/notices", """
        addEventListener("pageshow", (event) => {
          if (event.persisted) sessionStorage.was_inside = document.querySelector("#inside").checkVisibility();
        });""")
    reads_their_inbox(page, grandma)
    page.open("/")
    page.back("/notices")
    page.until("document.readyState === 'complete' && document.querySelector('#door').checkVisibility() &&"
               " performance.getEntriesByType('navigation')[0].type !== 'navigate'")  # loaded anew, then
    assert page.text("#inbox") == EMPTY, page.text("#inbox")
    assert page.eval("sessionStorage.was_inside") != "true", "it was seen for a moment"


def who_taps_back_is_not_signed_in_by_a_late_answer():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    page.eval("window.slow = 'POST /login'")
    page.eval("{" + grandma.submits() + "}")
    page.until("window.let_go")
    page.open("/")
    page.back("/notices")
    page.until("!window.let_go")


def a_password_is_in_no_address_where_the_script_is_dead():
    page = browser.Page(chromium, "/notices", """
        addEventListener("submit", (event) => event.stopImmediatePropagation(), true);
        addEventListener("securitypolicyviolation", (event) => { window.refused = event.effectiveDirective; });""")
    page.eval("for (const field of document.querySelectorAll('input')) field.value = 'secret'")
    page.eval("document.querySelector('#sign-in').requestSubmit()")
    page.until("window.refused === 'form-action'")
    assert page.eval("document.querySelector('#sign-in').method") == "post"  # an old browser knows no such policy


def two_quick_taps_sign_in_once():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    grandma.sign_in(page, """
        asked.length = 0;
        for (const tap of [1, 2]) form.querySelector("button").click(tap);
        window.taps = [...asked]""")
    assert page.eval("taps") == ["POST /login"], page.eval("taps")
    page.click("#sign-out")
    page.until("!document.querySelector('#sign-in button').disabled")


def an_answer_that_comes_late_is_not_shown_to_the_next():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    page.eval("window.slow = 'GET /inbox'")
    grandma.sign_in(page)
    page.until("window.let_go")
    page.eval("window.slow = null")
    page.click("#sign-out")
    child.sign_in(page)
    page.eval("window.let_go()")
    page.eval("new Promise((go) => setTimeout(go, 500))")
    assert page.text("#inbox") == EMPTY, page.text("#inbox")


def who_signs_out_is_told_nothing_more_in_this_browser():
    page, (device, _) = will_be_told(child)
    visits_until(page, child, lambda: child.devices() == [[device, session_of(page)]])
    session = session_of(page)
    page.eval(f"window.slow = 'DELETE /devices/{device}'")
    page.click("#sign-out")
    page.until("!sessionStorage.made")
    shop.within(shop.PATIENCE_S, child.has_left, session)  # which does not wait for the other answer
    shop.within(shop.PATIENCE_S, lambda: not child.devices())
    assert {f"DELETE /devices/{device}", "POST /logout"} <= set(page.eval("kept_alive")), page.eval("kept_alive")


def who_signs_out_amid_a_registration_is_told_nothing_more():
    page, (device, session) = will_be_told(child)
    page.open("/notices")
    page.eval("window.slow = 'GET /push-key'")
    child.sign_in(page)
    page.until("window.let_go")
    page.click("#sign-out")
    page.until("!sessionStorage.made")  # at once: the page may be closed soon
    assert page.eval(f"asked.includes('DELETE /devices/{device}')"), page.eval("asked")
    page.eval("window.let_go()")
    its_turns_are_over(page)
    assert not page.eval("sessionStorage.made"), "a subscription that nobody asked for"
    assert child.devices() in ([], [[device, session]]), child.devices()  # the shop may be too busy to forget it


def who_signs_out_amid_a_wish_is_told_nothing():
    page = browser.Page(chromium, "/notices", NO_PUSH_SERVICE + BAD_LINE)
    child.sign_in(page)
    page.eval("window.slow = 'GET /push-key'")
    page.click("#subscribe")
    page.until("window.let_go")
    page.click("#sign-out")
    page.eval("window.let_go()")
    its_turns_are_over(page)
    assert not page.eval("sessionStorage.made"), "a subscription that nobody asked for"
    assert not page.eval("asked.includes('POST /devices')"), page.eval("asked")


def who_signs_out_is_told_nothing_more_where_notices_cannot_be_listed():
    page, _ = will_be_told(child)
    page.eval("ServiceWorkerRegistration.prototype.getNotifications = () => Promise.reject(new Error('no'))")
    page.click("#sign-out")
    page.until("!sessionStorage.made")


def who_wants_to_be_told_at_once_after_a_sign_out_is():
    grandma.is_signed_out_everywhere()
    page, _ = will_be_told(child)
    page.open("/notices")
    page.eval("window.slow = 'GET /push-key'")
    child.sign_in(page)
    page.until("window.let_go")
    page.eval("window.slow = null")
    page.click("#sign-out")
    grandma.sign_in(page)
    page.click("#subscribe")
    page.eval("new Promise((go) => setTimeout(go, 500))")
    page.eval("window.let_go()")
    wants_to_be_told(page)
    its_turns_are_over(page)
    (address,), = shop.sql(f"SELECT address FROM notify.devices WHERE customer_id = '{grandma.id}'", "customer_db")
    assert address == page.eval("sessionStorage.made && JSON.parse(sessionStorage.made).endpoint"), address
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: not grandma.devices())


def a_browser_that_never_answers_holds_nobody_up():
    page, _ = will_be_told(child)
    page.open("/notices")
    page.eval("""{
        const slowly = window.setTimeout, subscribe = PushManager.prototype.subscribe;
        window.setTimeout = (go, ms) => slowly(go, ms / 10);
        PushManager.prototype.subscribe = () => {
          PushManager.prototype.subscribe = subscribe;
          return new Promise(() => { window.never = true; });
        };
    }""")
    child.sign_in(page)
    page.until("window.never")
    page.click("#sign-out")
    grandma.sign_in(page)
    wants_to_be_told(page)
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, lambda: not grandma.devices())


def a_browser_that_would_have_to_ask_waits_for_a_tap():
    page, _ = will_be_told(child)
    page.open("/notices")
    page.eval("Object.defineProperty(Notification, 'permission', { get: () => 'default' })")
    child.sign_in(page)
    its_turns_are_over(page)
    assert not page.eval("asked.includes('GET /push-key')"), page.eval("asked")


def a_browser_that_keeps_nothing_is_no_trouble():
    page = browser.Page(chromium, "/notices", NO_SITE_DATA)
    reads_their_inbox(page, grandma)
    assert page.text("#said") == "", page.text("#said")


def a_browser_is_told_on_after_the_session_that_it_was_registered_in():
    page, (device, session) = will_be_told(child)
    visits_until(page, child, lambda: child.devices() == [[device, session_of(page)]])
    child.is_signed_out_of(session)
    assert child.devices() == [[device, session_of(page)]], child.devices()
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
    visits_until(page, child, lambda: len(child.devices()) == 2)  # the other one's end the push service tells
    assert page.eval("sessionStorage.made") != made


def who_wants_to_be_told_is_when_the_shop_has_another_key():
    page, _ = will_be_told(child)
    made = the_shop_gets_another_key(page)
    page.eval("document.querySelector('#said').textContent = ''")
    wants_to_be_told(page)
    assert page.eval("sessionStorage.made") != made


def who_signs_in_after_another_is_not_told_for_that():
    grandma.is_signed_out_everywhere()
    page, device = will_be_told(child)
    page.open("/notices")
    reads_their_inbox(page, grandma)
    its_turns_are_over(page)
    assert (child.devices(), grandma.devices()) == ([device], []), (child.devices(), grandma.devices())


def whose_access_token_has_run_out_reads_on():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    reads_their_inbox(page, grandma)
    made = session_of(page)
    told, = shop.sql(f"SELECT device_id FROM auth.sessions WHERE id = '{made}'", "customer_db")
    assert told == [page.eval("localStorage.browser")], told  # who says so at both may ask once more
    for times in (0, 1):  # and when the answer to the renewal is lost
        page.eval(f"lost['POST /token/refresh'] = {times}; session.accessToken = 'over'")
        page.until("!session || session.accessToken !== 'over'")
        assert page.is_seen("#inside"), page.text("#said")
    with open(shop.ROOT + "/customer-service/auth/auth.h", encoding="utf-8") as file:
        grace_s = int(re.search(r"REFRESH_GRACE_S = (\d+)", file.read())[1])
    # also when it never came: once that is clear, and the inbox is asked for again
    assert page.eval("PATIENCE_MS") / 1000 + 5 < grace_s, page.eval("PATIENCE_MS")
    page.click("#sign-out")
    shop.within(shop.PATIENCE_S, grandma.has_left, made)


def trouble_is_told_as_long_as_it_lasts():
    page = browser.Page(chromium, "/notices", BAD_LINE)
    reads_their_inbox(page, grandma)
    page.eval("lost['GET /inbox'] = Infinity")
    page.until("document.body.innerText.includes('cannot be had')")
    page.eval("lost = {}")
    page.until("!document.body.innerText.includes('cannot be had')")


def what_was_told_before_today_has_its_date():
    moments = [int(seconds) for seconds, in shop.sql(
        "UPDATE notify.notices SET created_at = created_at - interval '2 days'"
        f" WHERE customer_id = '{grandma.id}' AND stage = 'ready' RETURNING floor(extract(epoch FROM created_at))",
        "customer_db")]
    page = browser.Page(chromium, "/notices")
    reads_their_inbox(page, grandma)
    dated = page.eval(f"""(() => {{
        const days = {moments}.map((s) => new Date(s * 1000).toLocaleDateString(undefined, {{ dateStyle: "short" }}));
        return [...document.querySelectorAll("#inbox .line")].map((line) => line.textContent)
          .filter((text) => days.some((day) => text.includes(day)));
    }})()""")
    assert len(dated) == 2 and any("Ready to pick up" in text for text in dated), dated  # the Live Activity, too


def a_notice_says_which_order_it_is_of():
    page = browser.Page(chromium, "/notices")
    reads_their_inbox(page, grandma)
    assert f"Ready to pick up ({order['number']})" in page.text("#inbox"), page.text("#inbox")


def a_menu_that_cannot_be_had_is_asked_for_again():
    page = browser.Page(chromium, "/", BAD_LINE + "lost['GET /menu'] = 1;")
    page.until("document.querySelector('.price')")


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
chromium.ask("Browser.grantPermissions", origin=shop.URL, permissions=["notifications"])
try:
    order = grandma.is_told_something()
    fact(nothing_of_one_person_is_left_to_the_next)
    fact(who_signs_out_leaves_nothing_on_the_page_and_no_session)
    fact(the_shop_is_told_of_a_sign_out_until_it_knows)
    fact(that_the_shop_does_not_know_yet_is_not_told_to_the_next)
    fact(who_taps_back_finds_nobody_signed_in)
    fact(who_taps_back_is_not_signed_in_by_a_late_answer)
    fact(a_password_is_in_no_address_where_the_script_is_dead)
    fact(two_quick_taps_sign_in_once)
    fact(an_answer_that_comes_late_is_not_shown_to_the_next)
    fact(who_signs_out_is_told_nothing_more_in_this_browser)
    fact(who_signs_out_amid_a_registration_is_told_nothing_more)
    fact(who_signs_out_amid_a_wish_is_told_nothing)
    fact(who_signs_out_is_told_nothing_more_where_notices_cannot_be_listed)
    fact(who_wants_to_be_told_at_once_after_a_sign_out_is)
    fact(a_browser_that_never_answers_holds_nobody_up)
    fact(a_browser_that_would_have_to_ask_waits_for_a_tap)
    fact(a_browser_that_keeps_nothing_is_no_trouble)
    fact(a_browser_is_told_on_after_the_session_that_it_was_registered_in)
    fact(a_browser_is_told_on_when_the_shop_has_another_key)
    fact(who_wants_to_be_told_is_when_the_shop_has_another_key)
    fact(who_signs_in_after_another_is_not_told_for_that)
    fact(whose_access_token_has_run_out_reads_on)
    fact(trouble_is_told_as_long_as_it_lasts)
    fact(what_was_told_before_today_has_its_date)
    fact(a_notice_says_which_order_it_is_of)
    fact(a_menu_that_cannot_be_had_is_asked_for_again)
    fact(prices_are_in_the_currency_of_the_menu)
finally:
    chromium.close()
shop.finish()
