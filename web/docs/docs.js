"use strict";

/* An element; attributes by name, children as nodes or text. Text stays text: nothing is parsed as HTML. */
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== null) node.setAttribute(key, value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined));
  return node;
}

/* `code` in running text. */
function words(text) {
  return String(text || "").split("`").map((part, i) => (i % 2 ? el("code", null, part) : part));
}

let api;

function follow(thing) {
  while (thing && thing.$ref) {
    thing = thing.$ref.slice(2).split("/").reduce((o, key) => o[key.replace(/~1/g, "/").replace(/~0/g, "~")], api);
  }
  return thing;
}

const schemaName = (schema) => (schema && schema.$ref ? schema.$ref.split("/").pop() : null);

function typeWords(schema) {
  const name = schemaName(schema);
  if (name) return name;
  if (schema.enum) return "one of " + schema.enum.join(", ");
  if (schema.type === "array") return "list of " + typeWords(schema.items);
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") {
    return "map of " + typeWords(schema.additionalProperties);
  }
  if (schema.contentEncoding) return schema.contentEncoding + " text";
  const wide = schema.type === "integer" || schema.type === "number" ? null : schema.format;
  return wide ? wide : schema.type || "anything";
}

/* What the rules say, as a person would. */
function ruleWords(schema) {
  const said = [];
  const between = (low, high, unit) => {
    if (low !== undefined && high !== undefined) said.push(`${low} to ${high}${unit}`);
    else if (low !== undefined) said.push(`at least ${low}${unit}`);
    else if (high !== undefined) said.push(`at most ${high}${unit}`);
  };
  between(schema.minimum, schema.maximum, "");
  between(schema.minLength, schema.maxLength, " characters");
  between(schema.minItems, schema.maxItems, " entries");
  if (schema.pattern) said.push(schema.pattern);
  return said.join("; ");
}

function inside(schema) {
  const item = schema.type === "array" ? schema.items : schema;
  const held = item && typeof item.additionalProperties === "object" ? item.additionalProperties : item;
  return held && held.$ref ? held : null;
}

function fieldRow(name, schema, required, description, depth, seen) {
  const rules = ruleWords(schema);
  const row = el("li", null, el("code", null, name), " ", el("span", { class: "type" }, typeWords(schema)),
    required ? el("span", { class: "must" }, " required") : null,
    rules ? el("span", { class: "type" }, " · " + rules) : null);
  const text = description || schema.description;
  if (text) row.append(el("div", { class: "soft" }, words(text)));
  const deeper = inside(schema);
  if (deeper && depth < 4 && !seen.includes(deeper.$ref)) {
    row.append(fieldList(follow(deeper), depth + 1, [...seen, deeper.$ref]));
  }
  return row;
}

function fieldList(schema, depth = 0, seen = []) {
  const must = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([name, field]) =>
    fieldRow(name, field, must.has(name), null, depth, seen));
  return rows.length ? el("ul", { class: "fields" }, rows) : el("p", { class: "soft" }, "No fields.");
}

function copyable(text) {
  const button = el("button", { class: "copy", type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it by hand";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return el("div", { class: "sample" }, button, el("pre", { tabindex: "0" }, el("code", null, text)));
}

const quoted = (text) => "'" + String(text).replace(/'/g, "'\\''") + "'";

function curlLine(path, verb, operation) {
  const base = api.servers && api.servers[0] ? api.servers[0].url : location.origin;
  const options = [];
  let url = path;
  if (operation.responses["101"]) {
    return "websocat -H \"Authorization: Bearer $TOKEN\" " + quoted(base.replace(/^http/, "ws") + path);
  }
  if (verb !== "get") options.push("-X " + verb.toUpperCase());
  if (operation.responses["200"]?.content?.["text/event-stream"]) options.push("-N");
  for (const parameter of (operation.parameters || []).map(follow)) {
    const example = parameter.example ?? parameter.schema.examples?.[0];
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(example ?? "…"));
    if (parameter.name === "Idempotency-Key") options.push("-H " + quoted(`Idempotency-Key: ${example}`));
  }
  if ((operation.security || []).length) options.push("-H \"Authorization: Bearer $TOKEN\"");
  const json = operation.requestBody?.content?.["application/json"];
  if (json) options.push("-H " + quoted("Content-Type: application/json"), "-d " + quoted(JSON.stringify(json.example ?? {})));
  return ["curl " + quoted(base + url), ...options].join(" \\\n  ");
}

function parametersOf(operation) {
  const all = (operation.parameters || []).map(follow);
  if (!all.length) return null;
  return [el("h4", null, "Parameters"), el("ul", { class: "fields" }, all.map((p) =>
    fieldRow(`${p.name}`, p.schema, p.required, [p.description, `(in ${p.in})`].filter(Boolean).join(" "), 9, [])))];
}

function contentOf(content) {
  return Object.entries(content || {}).map(([type, media]) => {
    const name = schemaName(media.schema);
    const example = media.example === undefined ? null : copyable(JSON.stringify(media.example, null, 2));
    const schema = follow(media.schema);
    return el("div", null, el("p", { class: "type" }, name ? `${name} · ` : "", type),
      schema.properties ? el("details", { class: "inner" }, el("summary", null, "Fields"), fieldList(schema, 0, [media.schema.$ref])) : null,
      example);
  });
}

function responsesOf(operation) {
  const good = [], bad = [];
  for (const [status, reference] of Object.entries(operation.responses)) {
    const response = follow(reference);
    if (status < 400) {
      good.push(el("h4", null, `Answer ${status}`), el("p", null, words(response.description)), contentOf(response.content));
    } else {
      bad.push(el("tr", null, el("th", { scope: "row" }, status), el("td", null, words(response.description))));
    }
  }
  return [...good, bad.length
    ? el("details", { class: "inner" }, el("summary", null, "When it fails"), el("table", null, el("tbody", null, bad)))
    : null];
}

function routeOf(path, verb, operation) {
  const roles = operation["x-roles"] || [];
  const chips = [roles.includes("anyone") ? "no sign-in" : "for " + roles.join(", "),
    operation["x-rate-class"] ? `limit: ${operation["x-rate-class"]}` : null,
    operation["x-step-up"] ? "needs a fresh sign-in" : null].filter(Boolean);
  const body = operation.requestBody?.content?.["application/json"];
  const card = el("details", { class: "route", id: operation.operationId },
    el("summary", null, el("span", { class: `verb ${verb}` }, verb.toUpperCase()),
      el("span", { class: "path" }, path), el("span", { class: "summary" }, operation.summary)));
  card.dataset.find = [verb, path, operation.summary, operation.description, operation.operationId, ...roles,
    ...operation.tags, ...Object.keys(operation.responses)].join(" ").toLowerCase();
  let filled = false;
  card.addEventListener("toggle", () => {
    if (filled || !card.open) return;
    filled = true;
    card.append(el("div", { class: "body" }, el("ul", { class: "chips" }, chips.map((c) => el("li", null, c))),
      operation.description ? el("p", null, words(operation.description)) : null,
      el("h4", null, "Try it"), copyable(curlLine(path, verb, operation)),
      parametersOf(operation),
      body ? [el("h4", null, "Body"), fieldList(follow(body.schema), 0, [body.schema.$ref]),
        copyable(JSON.stringify(body.example ?? {}, null, 2))] : null,
      responsesOf(operation)));
  });
  return card;
}

/* Where the "type" of a problem leads. */
function problemsSection() {
  const told = {};
  for (const response of Object.values(api.components.responses || {})) {
    for (const [, code, title] of response.description.matchAll(/`(\w+)`: ([^;]+)/g)) told[code] = title;
  }
  const codes = api.components.schemas.Problem.properties.code.enum;
  return el("section", { "data-always": "" }, el("h2", { id: "problems" }, "Problems"),
    el("p", { class: "soft" }, "Every failure is application/problem+json. Act on the code."),
    fieldList(api.components.schemas.Problem, 0, []),
    el("table", null, el("tbody", null, codes.map((code) => el("tr", { id: `problem-${code}` },
      el("th", { scope: "row" }, el("code", null, code)), el("td", null, told[code] || ""))))));
}

function render() {
  const main = document.getElementById("main"), index = document.getElementById("index");
  document.title = `${api.info.title}: the API`;
  main.replaceChildren(el("p", null, api.info.description),
    el("p", { class: "soft" }, "The same for machines: ", el("a", { href: "openapi.json" }, "openapi.json"), " (OpenAPI ", api.openapi, ")"));
  for (const tag of api.tags) {
    const section = el("section", null, el("h2", null, tag.name), tag.description ? el("p", { class: "soft" }, words(tag.description)) : null);
    const links = [];
    for (const [path, item] of Object.entries(api.paths)) {
      for (const [verb, operation] of Object.entries(item)) {
        if (!operation.tags.includes(tag.name)) continue;
        section.append(routeOf(path, verb, operation));
        links.push(el("a", { href: `#${operation.operationId}` }, el("span", { class: `verb ${verb}` }, verb.toUpperCase()), path));
      }
    }
    if (links.length) {
      main.append(section);
      index.append(el("strong", null, tag.name), ...links);
    }
  }
  main.append(el("p", { id: "nothing", hidden: "" }, "Nothing has that name."), problemsSection());
  openNamed();
}

function search(text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  let any = false;
  for (const section of document.querySelectorAll("main section:not([data-always])")) {
    let shown = 0;
    for (const card of section.querySelectorAll(".route")) {
      card.hidden = !wanted.every((word) => card.dataset.find.includes(word));
      shown += card.hidden ? 0 : 1;
    }
    section.hidden = shown === 0;
    any = any || shown > 0;
  }
  document.getElementById("nothing").hidden = any;
}

function openNamed() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.tagName === "DETAILS") target.open = true;
  target.scrollIntoView();
}

document.getElementById("search").addEventListener("input", (event) => search(event.target.value));
window.addEventListener("hashchange", openNamed);
fetch("/openapi.json").then((answer) => {
  if (!answer.ok) throw new Error(`openapi.json answered ${answer.status}`);
  return answer.json();
}).then((document_) => { api = document_; render(); }).catch((error) => {
  document.getElementById("main").replaceChildren(el("p", null, `The document cannot be shown: ${error.message}`));
});
