"use strict";

/* The inbox of whoever signs in, and the browser as one more device of theirs. The session lives as long as the page;
 * of one person nothing is left to the next, who may hold the same tablet. */
const PATIENCE_MS = 10000; /* longer than the shop takes to give up; a lost renewal can be had again for 30 s */
const PAUSE_MS = 5000;
const pause = (ms) => new Promise((go) => setTimeout(go, ms));
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
  const keepalive = method !== "GET"; /* who signs out may close the page at once */
  const reply = await fetch(path, { method, headers, signal, keepalive, body: body && JSON.stringify(body) });
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
    await pause(PAUSE_MS);
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

/* A browser may keep the page as it is, and show it to whoever taps Back. */
addEventListener("pagehide", () => leave(""));
addEventListener("pageshow", (event) => event.persisted && location.reload());

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
  goOn(mine)
    .catch((error) => session === mine && say(`This browser is not told just now: ${error.message}.`));
});

/* One after the other, whichever page of this browser asks: who signs out must find, and end, what was just begun. A
 * browser that does not answer keeps its turn for a while only. */
function inTurn(work) {
  const late = () => { throw new Error("it took too long"); };
  const inTime = () => Promise.race([work(), pause(3 * PATIENCE_MS).then(late)]);
  return navigator.locks ? navigator.locks.request("push", inTime) : inTime();
}

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/* The one that there is, or a new one. One under a key that the shop has no more is told nothing, and bars the next. */
async function subscriptionOf(worker) {
  const { publicKey } = await call("GET", "/push-key");
  const made = await worker.pushManager.getSubscription();
  if (made && base64url(made.options.applicationServerKey) !== publicKey) await made.unsubscribe();
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
}

async function register(mine, worker) {
  const subscription = await subscriptionOf(worker);
  if (session !== mine) return;
  const { endpoint, keys } = subscription.toJSON();
  const { id } = await ask(mine, "POST", "/devices", { web: { endpoint, p256dh: keys.p256dh, auth: keys.auth } });
  if (session === mine) Object.assign(kept, { device: id, customer: mine.customer.id });
}

/* A device is told as long as the session that registered it last, and each visit is another. Only who wanted it here:
 * one person's wish is not the next one's. Where the browser would have to ask, a tap comes first. Another page
 * may sign out before this one has its turn. */
async function goOn(mine) {
  const isWanted = () => session === mine && kept.customer === mine.customer.id &&
    window.Notification?.permission === "granted";
  if (!isWanted()) return;
  await inTurn(async () => {
    const worker = isWanted() && await navigator.serviceWorker?.getRegistration();
    if (worker?.pushManager) await register(mine, worker);
  });
}

async function subscribe(mine) {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) throw new Error("it knows no push");
  if (await Notification.requestPermission() !== "granted") throw new Error("it was not allowed to");
  const worker = await navigator.serviceWorker.register("/push.js");
  await navigator.serviceWorker.ready;
  await inTurn(async () => {
    if (session === mine) await register(mine, worker);
  });
}

/* Whoever it was that wanted to be told: from now on nobody is signed in here. */
async function unsubscribe() {
  const worker = await navigator.serviceWorker?.getRegistration();
  try {
    await (await worker?.pushManager?.getSubscription())?.unsubscribe();
  } finally {
    for (const notice of await worker?.getNotifications() ?? []) notice.close();
  }
}

/* The id outlives the page, since an earlier session may have registered the browser. Was it somebody else's, or is the
 * session over before the shop hears of this, the push service will tell the shop that the subscription has ended. */
function takeBack(mine) {
  const id = kept.device;
  delete kept.device;
  delete kept.customer;
  if (id) ask(mine, "DELETE", `/devices/${id}`).catch(() => null);
}

/* Who waits is told, not who has signed in meanwhile. */
async function logOut(mine) {
  const unknown = "You are signed out here, but the shop does not know yet: please leave this page open until it does.";
  try {
    await call("POST", "/logout", { refreshToken: mine.refreshToken });
    if (at("said").textContent === unknown) say("You are signed out.");
  } catch {
    if (!session) say(unknown);
    await pause(PAUSE_MS);
    return logOut(mine);
  }
}

at("subscribe").addEventListener("click", async () => {
  const mine = session;
  say("One moment …");
  const end = await subscribe(mine)
    .then(() => "This browser will be told.", (error) => `This browser cannot be told: ${error.message}.`);
  if (session === mine) say(end);
});

at("sign-out").addEventListener("click", () => {
  const mine = session;
  leave("You are signed out."); /* at once, however long the shop takes */
  const begun = unsubscribe().catch(() => null); /* the page may be closed soon */
  inTurn(() => begun.then(unsubscribe)).catch(() => null); /* once more, after whoever is subscribing just now */
  takeBack(mine);
  logOut(mine);
});
