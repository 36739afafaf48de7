"use strict";

/* The inbox of whoever signs in, and the browser as one more device of theirs. The session lives as long as the page;
 * of one person nothing is left to the next, who may hold the same tablet. */
const at = (id) => document.getElementById(id);
let session = null;

function el(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

function say(text) {
  at("said").textContent = text;
}

async function call(method, path, body, token = session?.accessToken) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = reply.status === 204 ? null : await reply.json();
  if (!reply.ok) throw Object.assign(new Error(answer.detail || answer.title), { status: reply.status });
  return answer;
}

function line(notice) {
  const when = new Date(notice.createdAt).toLocaleTimeString();
  const text = notice.kind === "alert" ? notice.title : `Live Activity: ${notice.activity}`;
  const about = notice.kind === "alert" ? notice.body : `${notice.stage}, ${notice.progress} %`;
  return el("li", "", el("div", "line", el("span", "", text), el("span", "", when)), el("p", "about", about));
}

function show(notices) {
  at("inbox").replaceChildren(...(notices.length ? notices.map(line) : [el("li", "", "Nothing yet.")]));
}

/* Until this session is left. An answer that comes after that is not for who is here then. */
async function follow(mine) {
  while (session === mine) {
    const answer = await call("GET", "/inbox").catch((error) => ({ error }));
    if (session !== mine) return;
    if (answer.error?.status === 401) return leave("Please sign in again.");
    if (answer.error) say(`The inbox cannot be had just now: ${answer.error.message}`);
    else show(answer.notices);
    await new Promise((go) => setTimeout(go, 5000));
  }
}

function leave(why) {
  session = null;
  show([]);
  at("door").hidden = false;
  at("inside").hidden = true;
  say(why);
}

at("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    session = await call("POST", "/login", { handle: form.get("handle"), password: form.get("password") });
  } catch (error) {
    return say(error.message);
  }
  event.target.reset();
  at("door").hidden = true;
  at("inside").hidden = false;
  say("");
  follow(session);
});

async function subscribe(token) {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) throw new Error("it knows no push");
  if (await Notification.requestPermission() !== "granted") throw new Error("it was not allowed to");
  const { publicKey } = await call("GET", "/push-key");
  const worker = await navigator.serviceWorker.register("/push.js");
  await navigator.serviceWorker.ready;
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  const { endpoint, keys } = made.toJSON();
  const { id } = await call("POST", "/devices", { web: { endpoint, p256dh: keys.p256dh, auth: keys.auth } }, token);
  localStorage.setItem("device", id);
}

/* Whoever it was that wanted to be told: from now on nobody is signed in here. */
async function unsubscribe() {
  const worker = await navigator.serviceWorker?.getRegistration();
  for (const notice of await worker?.getNotifications() ?? []) notice.close();
  await (await worker?.pushManager?.getSubscription())?.unsubscribe();
}

/* The id outlives the page, since an earlier session may have registered the browser. Was it somebody else's, the push
 * service will tell the shop that the subscription has ended. */
async function takeBack(token) {
  const id = localStorage.getItem("device");
  localStorage.removeItem("device");
  if (id) await call("DELETE", `/devices/${id}`, undefined, token).catch(() => null);
}

at("subscribe").addEventListener("click", async () => {
  say("One moment …");
  try {
    await subscribe(session.accessToken);
    say("This browser will be told.");
  } catch (error) {
    say(`This browser cannot be told: ${error.message}.`);
  }
});

at("sign-out").addEventListener("click", async () => {
  const { accessToken, refreshToken } = session;
  leave("You are signed out."); /* at once, however long the shop takes */
  unsubscribe().catch(() => null);
  try {
    await takeBack(accessToken);
    await call("POST", "/logout", { refreshToken }, null);
  } catch (error) {
    say(`You are signed out here, but the shop does not know yet: ${error.message}`);
  }
});
