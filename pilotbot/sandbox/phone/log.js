// The webhook log: what the bot was sent, and what it answered.

import { byId, fill, h, icon, keepOneTabStop, reconcile, rove } from "./dom.js";
import { clockTime, duration } from "./format.js";
import { locale, t } from "./i18n.js";
import { copyButton, jsonBlock } from "./json.js";
import { plain } from "./markup.js";
import { attemptsText, nothing } from "./panel-parts.js";
import { accepted, answerOf } from "./state.js";

const openRows = new Set();
let wanted = ""; // the event that is looked at; none means all

/** Draw the log, newest first. */
export function drawLog(state, acts) {
  const all = [...state.deliveries.values()].reverse();
  for (const id of openRows) if (!state.deliveries.has(id)) openRows.delete(id);
  drawFilter(all);
  const shown = all.filter(({ event }) => !wanted || event === wanted);
  const redraw = () => drawLog(state, acts);
  reconcile(
    byId("log-list"),
    shown.length || !state.loaded ? shown.map((delivery) => item(delivery, acts, redraw)) : [empty()],
  );
  keepOneTabStop(byId("log-list"), ".delivery-line", () => true);
}

/** Show one delivery, opened, with the focus on it. */
export function reveal(id, state, acts) {
  wanted = "";
  openRows.add(id);
  drawLog(state, acts);
  const line = lineOf(id);
  line?.scrollIntoView({ block: "nearest" });
  line?.focus();
}

/** Wire the filter and the arrow keys. */
export function wireLog(changed) {
  const select = h("select", {
    id: "log-event",
    data: { testid: "log-filter" },
    on: {
      change() {
        wanted = select.value;
        changed();
      },
    },
  });
  fill(byId("log-filter"), h("label", { for: "log-event", "data-t": "logFilter" }, t("logFilter")), select);
  rove(byId("log-list"), ".delivery-line");
}

function drawFilter(all) {
  const events = [...new Set(all.map(({ event }) => event))].sort();
  if (!events.includes(wanted)) wanted = "";
  byId("log-filter").hidden = events.length === 0;
  const texts = new Map([["", t("logAll", { count: all.length })]]);
  for (const event of events) texts.set(event, `${event} (${all.filter((each) => each.event === event).length})`);
  const select = byId("log-event");
  const options = [...texts].map(([value, text]) => ({
    key: value,
    version: text,
    build: () => h("option", { value }, text),
  }));
  reconcile(select, options);
  select.value = wanted;
}

const lineOf = (id) => byId("log-list").querySelector(`[data-key="${CSS.escape(id)}"] .delivery-line`);

function empty() {
  const item = nothing("log-empty", "log", t("logEmptyTitle"), t("logEmptyText"));
  return { ...item, build: () => h("li", {}, item.build()) };
}

function item(delivery, acts, redraw) {
  const open = openRows.has(delivery.id);
  const toggle = () => {
    if (!openRows.delete(delivery.id)) openRows.add(delivery.id);
    redraw();
    lineOf(delivery.id)?.focus();
  };
  const { status, statusCode, attempts, nextAttemptAt } = delivery;
  return {
    key: delivery.id,
    version: JSON.stringify([status, statusCode, attempts, nextAttemptAt, open, locale()]),
    build: () =>
      h("li", { class: `delivery ${tone(delivery)}` }, line(delivery, open, toggle), open && details(delivery, acts)),
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
      delivery.attempts > 1 && h("em", {}, `${attemptsText(delivery.attempts)} · `),
      at ? clockTime(at) : "",
    ),
  );
}

function summary(data) {
  const text = data?.errorCode ?? data?.content ?? data?.mediaCaption ?? data?.mediaType ?? data?.displayName ?? "";
  return plain(text);
}

function details(delivery, acts) {
  const { attempts, durationMs, nextAttemptAt, response, signature } = delivery;
  const outcome = [
    answer(delivery),
    attemptsText(attempts),
    Number.isFinite(durationMs) && t("took", { time: duration(durationMs) }),
    nextAttemptAt && t("nextAttempt", { at: clockTime(nextAttemptAt) }),
  ];
  const body = JSON.stringify(delivery.body, null, 2) ?? "";
  return h(
    "div",
    { class: "delivery-more" },
    h(
      "dl",
      {},
      h("dt", {}, t("address")),
      h("dd", {}, delivery.url),
      h("dt", {}, t("answer")),
      h(
        "dd",
        { data: { testid: "answer" } },
        outcome.filter(Boolean).join(" · "),
        response && h("pre", { class: "response" }, response),
      ),
      h("dt", {}, t("signature")),
      h(
        "dd",
        { class: "signature" },
        h("span", { class: "mono" }, signature || t("unsigned")),
        signature && copyButton(signature, t("signature"), acts),
      ),
    ),
    h("div", { class: "json-head" }, h("span", {}, t("body")), copyButton(body, t("body"), acts)),
    jsonBlock(delivery.body, t("body")),
    h(
      "button",
      { type: "button", class: "pill", data: { testid: "resend" }, on: { click: () => acts.resend(delivery) } },
      icon("again"),
      t("resend"),
    ),
  );
}
