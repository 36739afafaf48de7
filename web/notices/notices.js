"use strict";

/* The inbox of whoever signs in, and the browser as one more device of theirs. The session lives as long as the page;
 * of one person nothing is left to the next, who may hold the same tablet. */
const PATIENCE_MS = 30000; /* longer than the shop takes to give up */
const at = (id) => document.getElementById(id);
let session = null;

/* What outlives the page, where the browser allows that: 'browser' is what it calls itself, 'device' what the shop calls
 * it since 'customer' wanted to be told here. */
const kept = (() => {
  const browser = "browser-" + crypto.getRandomValues(new Uint32Array(4)).join("-");
  try {
    localStorage.browser ||= browser;
    return localStorage;
  } catch {
    return { browser };
  }
})();

function el(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

function say(text) {
  at("said").textContent = text;
}

async function call(method, path, body, token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout?.(PATIENCE_MS);
  const reply = await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) });
  const answer = reply.status === 204 ? null : await reply.json();
  if (!reply.ok) throw Object.assign(new Error(answer.detail || answer.title), { status: reply.status });
  return answer;
}

/* An access token lasts a quarter of an hour; the refresh token beside it gets the next, once for all who ask. Was the
 * answer lost, the same browser may ask for it again. */
function renew(mine) {
  mine.renewal ??= call("POST", "/token/refresh", { refreshToken: mine.refreshToken, deviceId: kept.browser })
    .then((next) => Object.assign(mine, next))
    .finally(() => { mine.renewal = null; });
  return mine.renewal;
}

async function ask(mine, method, path, body) {
  try {
    return await call(method, path, body, mine.accessToken);
  } catch (error) {
    if (error.status !== 401) throw error;
    await renew(mine);
    return call(method, path, body, mine.accessToken);
  }
}

function time(moment) {
  const when = new Date(moment);
  const isToday = when.toDateString() === new Date().toDateString();
  const short = { dateStyle: "short", timeStyle: "short" };
  return isToday ? when.toLocaleTimeString() : when.toLocaleString(undefined, short);
}

function line(notice) {
  const text = notice.kind === "alert" ? notice.title : `Live Activity: ${notice.activity}`;
  const about = notice.kind === "alert" ? notice.body : `${notice.stage}, ${notice.progress} %`;
  const head = el("div", "line", el("span", "", text), el("span", "when", time(notice.createdAt)));
  return el("li", "", head, el("p", "about", about));
}

function show(notices) {
  at("inbox").replaceChildren(...(notices.length ? notices.map(line) : [el("li", "", "Nothing yet.")]));
}

/* Until this session is left. An answer that comes after that is not for who is here then. */
async function follow(mine) {
  while (session === mine) {
    const answer = await ask(mine, "GET", "/inbox").catch((error) => ({ error }));
    if (session !== mine) return;
    if (answer.error?.status === 401) return leave("Please sign in again.");
    at("trouble").textContent = answer.error ? `The inbox cannot be had just now: ${answer.error.message}` : "";
    if (!answer.error) show(answer.notices);
    await new Promise((go) => setTimeout(go, 5000));
  }
}

function leave(why) {
  session = null;
  show([]);
  at("trouble").textContent = "";
  at("door").hidden = false;
  at("inside").hidden = true;
  say(why);
}

at("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const button = event.target.querySelector("button");
  button.disabled = true; /* a second tap would sign in twice */
  try {
    session = await call("POST", "/login",
      { handle: form.get("handle"), password: form.get("password"), deviceId: kept.browser });
  } catch (error) {
    return say(error.message);
  } finally {
    button.disabled = false;
  }
  event.target.reset();
  at("door").hidden = true;
  at("inside").hidden = false;
  say("");
  const mine = session;
  follow(mine);
  inTurn(() => goOn(mine))
    .catch((error) => session === mine && say(`This browser is not told just now: ${error.message}.`));
});

async function register(mine, subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const { id } = await ask(mine, "POST", "/devices", { web: { endpoint, p256dh: keys.p256dh, auth: keys.auth } });
  if (session === mine) Object.assign(kept, { device: id, customer: mine.customer.id });
}

/* One after the other, whichever page of this browser asks: who signs out must find, and end, what was just begun. */
const inTurn = (work) => navigator.locks ? navigator.locks.request("push", work) : work();

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/* The one that there is, or a new one. One under a key that the shop has no more is told nothing, and bars the next. */
async function subscriptionOf(worker) {
  const { publicKey } = await call("GET", "/push-key");
  const made = await worker.pushManager.getSubscription();
  if (made && base64url(made.options.applicationServerKey) !== publicKey) await made.unsubscribe();
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
}

/* A device is told as long as the session that registered it last, and each visit is another. Only who wanted it here:
 * one person's wish is not the next one's. */
async function goOn(mine) {
  if (session !== mine || kept.customer !== mine.customer.id) return;
  const worker = await navigator.serviceWorker?.getRegistration();
  const subscription = worker?.pushManager && await subscriptionOf(worker);
  if (subscription && session === mine) await register(mine, subscription);
}

async function subscribe(mine) {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) throw new Error("it knows no push");
  if (await Notification.requestPermission() !== "granted") throw new Error("it was not allowed to");
  const worker = await navigator.serviceWorker.register("/push.js");
  await navigator.serviceWorker.ready;
  await inTurn(async () => {
    if (session === mine) await register(mine, await subscriptionOf(worker));
  });
}

/* Whoever it was that wanted to be told: from now on nobody is signed in here. */
async function unsubscribe() {
  const worker = await navigator.serviceWorker?.getRegistration();
  for (const notice of await worker?.getNotifications() ?? []) notice.close();
  await (await worker?.pushManager?.getSubscription())?.unsubscribe();
}

/* The id outlives the page, since an earlier session may have registered the browser. Was it somebody else's, the push
 * service will tell the shop that the subscription has ended. */
async function takeBack(mine) {
  const id = kept.device;
  delete kept.device;
  delete kept.customer;
  if (id) await ask(mine, "DELETE", `/devices/${id}`).catch(() => null);
}

at("subscribe").addEventListener("click", async () => {
  const mine = session;
  say("One moment …");
  const end = await subscribe(mine)
    .then(() => "This browser will be told.", (error) => `This browser cannot be told: ${error.message}.`);
  if (session === mine) say(end);
});

at("sign-out").addEventListener("click", async () => {
  const mine = session;
  leave("You are signed out."); /* at once, however long the shop takes */
  inTurn(unsubscribe).catch(() => null);
  try {
    await takeBack(mine);
    await call("POST", "/logout", { refreshToken: mine.refreshToken });
  } catch (error) {
    say(`You are signed out here, but the shop does not know yet: ${error.message}`);
  }
});
