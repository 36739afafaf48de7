"use strict";

/* The service worker: shows what the shop pushes, and opens the page when it is touched. One notice of an order
 * replaces the other. */
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const notice = event.data ? event.data.json() : { title: "Everything", body: "", tag: "everything" };
  const title = notice.number ? `${notice.title} (${notice.number})` : notice.title;
  event.waitUntil(self.registration.showNotification(title, {
    body: notice.body, image: notice.image, tag: notice.tag, renotify: true, data: { orderId: notice.orderId },
  }));
});

async function show() {
  const open = await self.clients.matchAll({ type: "window" });
  return open.length ? open[0].focus() : self.clients.openWindow("/notices");
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show());
});
