// What the bot made of a contact's message: the handler that took it, those that did not and why, what was said.

import { h } from "./dom.js";
import { clockTime } from "./format.js";
import { has, t } from "./i18n.js";
import { openBots, turnsOf } from "./inspect.js";
import { chip, part, place } from "./panel-parts.js";
import { takenIds } from "./state.js";

const TONES = { committed: "good", running: "warn", retried: "warn", buried: "bad", stale: "warn" };

/** The parts on the turns of a message, the latest first; with none, one that says why. */
export function turnParts(state, row, acts) {
  const found = turnsOf(state, row);
  if (!found.length) {
    const text = none(state, row);
    return [part("turn", t("turn"), text, () => h("p", { data: { testid: "turn-none" } }, text))];
  }
  return found.map(({ bot, turn }, index) => {
    const title = openBots(state).length > 1 ? `${t("turn")} · ${bot.bot}` : t("turn");
    return part(`turn ${index}`, title, turn, () => turnNodes(turn, acts));
  });
}

function none(state, row) {
  if (!state.bots) return t("botAsking");
  if (!takenIds(state).has(row.id)) return t("turnUntaken");
  return t(openBots(state).length ? "turnNone" : "turnNoBot");
}

function turnNodes(turn, acts) {
  const outcome = String(turn.outcome ?? "");
  const handler = turn.handler;
  return h(
    "div",
    { class: "turn", data: { testid: "turn", outcome } },
    h(
      "p",
      { class: "chips" },
      h("strong", {}, handler ? t("turnHandler", { name: String(handler.name) }) : t("turnUnhandled")),
      chip(has(`end_${outcome}`) ? t(`end_${outcome}`) : outcome, TONES[outcome]),
      turn.at && h("time", { class: "note", datetime: turn.at }, clockTime(turn.at)),
    ),
    handler && h("p", { class: "mono decorator" }, String(handler.decorator ?? "")),
    handler?.where && place(handler.where, acts),
    choice(turn.choice),
    turn.error && problem(turn, acts),
    said(turn.said),
    tried(turn.tried, handler),
  );
}

function choice(chosen) {
  if (!chosen?.label) return null;
  const key = chosen.meanings > 1 ? "turnAmbiguous" : "turnChoice";
  return h(
    "p",
    {},
    t(key, { label: String(chosen.label) }),
    chosen.action && [" → ", h("span", { class: "mono" }, String(chosen.action))],
  );
}

function problem(turn, acts) {
  return h(
    "div",
    { class: "trouble-note", data: { testid: "turn-error" } },
    h("p", {}, String(turn.error)),
    turn.place && place(turn.place, acts),
  );
}

// What a bot expects of what it said, as it writes it; in the language of the page where it is one of these.
const OUTCOMES = [
  [/^queued, expected as (\w+)$/, "out_queued"],
  [/^waits until the contact writes$/, "out_waits"],
  [/^not sent: (.+)$/s, "out_skipped"],
  [/^dropped, since the handler failed$/, "out_dropped"],
];

function outcomeText(outcome) {
  for (const [pattern, key] of OUTCOMES) {
    const found = pattern.exec(outcome);
    if (found) return t(key, { what: has(`mode_${found[1]}`) ? t(`mode_${found[1]}`) : found[1] });
  }
  return outcome;
}

function said(all) {
  const list = Array.isArray(all) ? all : [];
  return [
    h("h4", {}, t("turnSaid")),
    list.length
      ? h(
          "ul",
          { class: "said" },
          list.map((one) =>
            h(
              "li",
              {},
              h("p", { class: "quotation" }, String(one?.text ?? "")),
              h(
                "p",
                { class: "note" },
                one?.to && `${t("turnSaidTo", { to: String(one.to) })} · `,
                outcomeText(String(one?.outcome ?? "")),
              ),
            ),
          ),
        )
      : h("p", { class: "note" }, t("turnSaidNothing")),
  ];
}

function tried(all, handler) {
  const list = (Array.isArray(all) ? all : []).filter((one) => one && typeof one === "object");
  if (!list.length) return null;
  return h(
    "details",
    { class: "tried", open: !handler, data: { testid: "tried" } },
    h("summary", {}, t(handler ? "turnTried" : "turnTriedAll", { count: list.length })),
    h(
      "ul",
      {},
      list.map((one) =>
        h(
          "li",
          {},
          h(
            "p",
            {},
            h("strong", {}, String(one.name)),
            " ",
            h("span", { class: "mono note" }, String(one.where ?? "")),
          ),
          one.decorator && h("p", { class: "mono note" }, String(one.decorator)),
          h("p", {}, String(one.reason ?? "")),
        ),
      ),
    ),
  );
}
