"use strict";

/* The front door: whether the shop is open, and what it sells. Text stays text. */
function el(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

/* As the reader writes it. A shop that is older than this page says no currency. */
function money(cents, currency) {
  const style = currency ? { style: "currency", currency } : {};
  return new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, ...style }).format(cents / 100);
}

/* Its room is there before it comes, and stays should it not come. */
function photo(item) {
  const frame = el("div", "photo");
  if (item.photo) {
    const image = el("img", "");
    image.loading = "lazy";
    image.alt = `Photo of ${item.name}`;
    image.width = image.height = 160;
    image.onerror = () => image.remove();
    image.src = item.photo.small;
    frame.append(image);
  }
  return frame;
}

function drink(item, currency) {
  const price = item.available ? money(item.priceCents, currency) : "sold out";
  const allergens = item.allergens.length ? ` Contains ${item.allergens.join(", ")}.` : "";
  return el("li", item.available ? "" : "sold-out",
    photo(item),
    el("div", "words",
      el("div", "line", el("span", "", item.name), el("span", "price", price)),
      el("p", "about", item.description + allergens)));
}

async function get(path) {
  const reply = await fetch(path);
  if (!reply.ok) throw new Error((await reply.json()).title);
  return reply.json();
}

/* Many pages behind one address share its limit: each asks later and later, and none at another's pace. */
async function open(pause) {
  const menu = document.getElementById("menu"), shop = document.getElementById("shop");
  try {
    const [{ items, currency }, state] = await Promise.all([get("/menu"), get("/shop")]);
    menu.replaceChildren(...items.map((item) => drink(item, currency)));
    if (!state.takingOrders) {
      shop.classList.add("closed");
      shop.textContent = ("closed just now. " + state.note).trim();
    }
  } catch (error) {
    menu.replaceChildren(el("li", "", `The menu cannot be had just now: ${error.message}. This page asks again.`));
    setTimeout(open, pause * (1 + Math.random()), Math.min(2 * pause, 60000));
  }
}

open(3000);
