"use strict";

/* The inbox of whoever signs in, and the browser as one more device of theirs. The token lives as long as the page. */
const at = (id) => document.getElementById(id);
let token = "";

function el(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

function say(text) {
  at("said").textContent = text;
}

async function call(method, path, body) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(answer.detail || answer.title), { status: reply.status });
  return answer;
}

function line(notice) {
  const when = new Date(notice.createdAt).toLocaleTimeString();
  const text = notice.kind === "alert" ? notice.title : `Live Activity: ${notice.activity}`;
  const about = notice.kind === "alert" ? notice.body : `${notice.stage}, ${notice.progress} %`;
  return el("li", "", el("div", "line", el("span", "", text), el("span", "", when)), el("p", "about", about));
}

async function refresh() {
  try {
    const { notices } = await call("GET", "/inbox");
    if (notices.length) at("inbox").replaceChildren(...notices.map(line));
  } catch (error) {
    if (error.status === 401) return leave();
    say(`The inbox cannot be had just now: ${error.message}`);
  }
  setTimeout(refresh, 5000);
}

function leave() {
  token = "";
  at("door").hidden = false;
  at("inside").hidden = true;
  say("Please sign in again.");
}

at("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    token = (await call("POST", "/login", { handle: form.get("handle"), password: form.get("password") })).accessToken;
  } catch (error) {
    return say(error.message);
  }
  event.target.reset();
  at("door").hidden = true;
  at("inside").hidden = false;
  say("");
  refresh();
});

async function subscribe() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) throw new Error("it knows no push");
  if (await Notification.requestPermission() !== "granted") throw new Error("it was not allowed to");
  const { publicKey } = await call("GET", "/push-key");
  const worker = await navigator.serviceWorker.register("/push.js");
  await navigator.serviceWorker.ready;
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  const { endpoint, keys } = made.toJSON();
  await call("POST", "/devices", { web: { endpoint, p256dh: keys.p256dh, auth: keys.auth } });
}

at("subscribe").addEventListener("click", async () => {
  say("One moment …");
  try {
    await subscribe();
    say("This browser will be told.");
  } catch (error) {
    say(`This browser cannot be told: ${error.message}.`);
  }
});
