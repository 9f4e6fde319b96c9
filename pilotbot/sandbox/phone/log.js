// The webhook log on the right: what the bot was sent, and what it answered.

import { byId, h, icon, keepOneTabStop, reconcile } from "./dom.js";
import { clockTime } from "./format.js";
import { t } from "./i18n.js";
import { plain } from "./markup.js";
import { accepted, answerOf } from "./state.js";

const openRows = new Set();

/** Draw the log, newest first. */
export function drawLog(state, acts) {
  const list = byId("log-list");
  const deliveries = [...state.deliveries.values()].reverse();
  for (const id of openRows) if (!state.deliveries.has(id)) openRows.delete(id);
  const redraw = () => drawLog(state, acts);
  reconcile(
    list,
    deliveries.length || !state.loaded ? deliveries.map((delivery) => item(delivery, acts, redraw)) : [nothing()],
  );
  keepOneTabStop(list, ".delivery-line", () => true);
}

function nothing() {
  const build = () =>
    h("li", { class: "log-empty" }, icon("log"), h("h3", {}, t("logEmptyTitle")), h("p", {}, t("logEmptyText")));
  return { key: "nothing", version: document.documentElement.lang, build };
}

function item(delivery, acts, redraw) {
  const open = openRows.has(delivery.id);
  const toggle = () => {
    if (!openRows.delete(delivery.id)) openRows.add(delivery.id);
    redraw();
    byId("log-list")
      .querySelector(`[data-key="${CSS.escape(delivery.id)}"] .delivery-line`)
      ?.focus();
  };
  const build = () =>
    h("li", { class: `delivery ${tone(delivery)}` }, line(delivery, open, toggle), open && details(delivery, acts));
  return {
    key: delivery.id,
    version: JSON.stringify([
      delivery.status,
      delivery.statusCode,
      delivery.attempts,
      open,
      document.documentElement.lang,
    ]),
    build,
  };
}

function tone(delivery) {
  if (accepted(delivery)) return "good";
  const failed = answerOf(delivery) !== null || delivery.status === "FAILED" || delivery.attempts > 1;
  return failed ? "bad" : "waiting";
}

function answer(delivery) {
  if (answerOf(delivery) !== null) return String(answerOf(delivery));
  if (delivery.status === "SUCCESS") return "2xx";
  return tone(delivery) === "waiting" ? t("pending") : t("noAnswer");
}

function line(delivery, open, toggle) {
  const attempts = delivery.attempts === 1 ? t("attempt") : t("attempts", { count: delivery.attempts ?? 0 });
  const at = delivery.createdAt ?? delivery.body?.data?.createdAt;
  return h(
    "button",
    {
      type: "button",
      class: "delivery-line",
      "aria-expanded": String(open),
      data: { testid: "delivery", event: delivery.event },
      on: { click: toggle },
    },
    h("span", { class: "delivery-event" }, delivery.event),
    h("span", { class: "delivery-answer" }, answer(delivery)),
    h("span", { class: "delivery-about" }, summary(delivery.body?.data)),
    h(
      "span",
      { class: "delivery-when" },
      delivery.attempts > 1 && h("em", {}, `${attempts} · `),
      at ? clockTime(at) : "",
    ),
  );
}

function summary(data) {
  const text = data?.errorCode ?? data?.content ?? data?.mediaCaption ?? data?.mediaType ?? data?.displayName ?? "";
  return plain(text);
}

function details(delivery, acts) {
  const body = JSON.stringify(delivery.body, null, 2) ?? "";
  const attempts = delivery.attempts === 1 ? t("attempt") : t("attempts", { count: delivery.attempts ?? 0 });
  return h(
    "div",
    { class: "delivery-more" },
    h(
      "dl",
      {},
      h("dt", {}, t("address")),
      h("dd", {}, delivery.url, h("br"), t("logStatus", { status: answer(delivery), attempts })),
      h("dt", {}, t("signature")),
      h("dd", { class: "mono" }, delivery.signature || t("unsigned")),
    ),
    h(
      "div",
      { class: "json-head" },
      h("span", {}, t("body")),
      h(
        "button",
        {
          type: "button",
          class: "tool",
          "aria-label": t("copyBody"),
          title: t("copyBody"),
          on: { click: () => acts.copy(body) },
        },
        icon("copy"),
      ),
    ),
    h("pre", { class: "json", tabindex: "0" }, coloured(body)),
  );
}

// Keys, texts and values apart by colour: the pieces are cut from our own JSON.stringify, and become text nodes.
const PIECE = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function coloured(json) {
  const nodes = [];
  let from = 0;
  for (const match of json.matchAll(PIECE)) {
    nodes.push(json.slice(from, match.index));
    const kind = match[1] ? (match[2] ? "json-key" : "json-text") : "json-value";
    nodes.push(h("span", { class: kind }, match[1] ?? match[0]), match[2] ?? "");
    from = match.index + match[0].length;
  }
  return [...nodes, json.slice(from)];
}
