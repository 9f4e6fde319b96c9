// What the tabs of the panel are made of.

import { h, icon } from "./dom.js";
import { locale, t } from "./i18n.js";
import { copyButton } from "./json.js";

/**
 * A titled part of a tab, for `reconcile`: drawn anew only when what it is made from is another.
 * @param {string} key
 * @param {string} title
 * @param {unknown} about what it is made from, as JSON
 * @param {() => (Node|Array)} build
 */
export function part(key, title, about, build) {
  return {
    key,
    version: JSON.stringify([locale(), title, about]),
    build: () => h("section", { class: "part", data: { part: key } }, title && h("h3", {}, title), build()),
  };
}

/** A tab that has nothing to show, and says so. */
export function nothing(key, sign, title, text, ...more) {
  const build = () =>
    h("div", { class: "nothing", data: { part: key } }, icon(sign), h("h3", {}, title), h("p", {}, text), more);
  return { key, version: JSON.stringify([locale(), title, text]), build };
}

/** Names and values, one a line: [name, value, copied]; `copied` is the text of a copy button, if there is one. */
export function pairs(list, acts) {
  const row = ([name, value, copied]) =>
    h(
      "div",
      {},
      h("dt", {}, name),
      copied
        ? h("dd", { class: "copied" }, h("span", { class: "mono" }, value), copyButton(copied, name, acts))
        : h("dd", {}, value),
    );
  return h("dl", { class: "pairs" }, list.filter(Boolean).map(row));
}

/** A word on a coloured ground: good, bad, warn or plain. */
export const chip = (text, tone = "plain") => h("span", { class: `chip ${tone}` }, text);

/** Where in the author's files something stands: "bots/orders.py:60", to be copied. */
export const place = (where, acts) =>
  h(
    "span",
    { class: "place" },
    h("span", { class: "mono" }, String(where)),
    copyButton(String(where), String(where), acts),
  );

/** "1 attempt", "3 attempts" */
export const attemptsText = (count) => (count === 1 ? t("attempt") : t("attempts", { count: count ?? 0 }));
