// The life of one message: why it went the way it did, when it came where, what the bot made of it.

import { nameOf } from "./chats.js";
import { byId, h, reconcile } from "./dom.js";
import { clockTime, duration, phoneText, whenFrom, whenOf } from "./format.js";
import { has, t } from "./i18n.js";
import { openBots, postOf } from "./inspect.js";
import { plain } from "./markup.js";
import { chip, nothing, pairs, part } from "./panel-parts.js";
import { turnParts } from "./panel-turn.js";
import { accepted, answerOf, chatOf, fromBot, optionsOf, rowsOf, statusOf, textOf } from "./state.js";

/** Draw the selected message; with none selected, the latest of the open chat. */
export function drawMessage(state, acts) {
  const row = state.rows.get(state.selected) ?? rowsOf(state, state.open).at(-1);
  const parts = row
    ? [headPart(state, row, acts), ...lifeOf(state, row, acts), webhooksPart(state, row, acts), idsPart(row, acts)]
    : [nothing("message-none", "details", t("messageNoneTitle"), t("messageNoneText"))];
  reconcile(byId("pane-message"), parts.filter(Boolean));
}

const lifeOf = (state, row, acts) =>
  row.direction === "out"
    ? [whyPart(state, row), timelinePart(state, row), templatePart(row)]
    : [...turnParts(state, row, acts), timelinePart(state, row)];

function headPart(state, row, acts) {
  const chat = chatOf(state, row.key);
  const name = row.authorName || row.contactName || (row.author ? phoneText(row.author) : chat ? nameOf(chat) : "");
  const title = fromBot(row)
    ? t(row.direction === "out" ? "messageOfBot" : "messageOfPhone")
    : t("messageOfContact", { name });
  const status = row.direction === "out" ? statusOf(row) : "";
  const text = plain(textOf(row)) || row.filename || optionsOf(row)[0]?.label || row.type || "";
  const selected = state.selected === row.id;
  return part("head", title, [row.id, text, status, row.mode, selected], () => [
    h("p", { class: "excerpt" }, text),
    h(
      "p",
      { class: "chips" },
      row.mode && chip(has(`mode_${row.mode}`) ? t(`mode_${row.mode}`) : row.mode),
      status && chip(t(`st_${status}`), { failed: "bad", canceled: "warn", queued: "warn" }[status] ?? "good"),
      selected
        ? h(
            "button",
            { type: "button", class: "link", data: { testid: "follow" }, on: { click: acts.unselect } },
            t("messageFollow"),
          )
        : h("span", { class: "note" }, t("messageLatest")),
    ),
  ]);
}

/** The sentence on the choice of mode, from the bot that made it. */
export function whyOf(state, row) {
  const as = has(`as_${row.mode}`) ? t(`as_${row.mode}`) : String(row.mode);
  if (!state.bots) return t("whyAsking");
  const found = postOf(state, row);
  if (!found) return t(openBots(state).length ? "whyStranger" : "whyNoBot", { as });
  const { code, closesAt } = found.post.why ?? {};
  const key = `why_${String(code).replaceAll("-", "_")}`;
  return has(key) ? t(key, { as, until: whenFrom(closesAt, row.createdAt) }) : t("whyOther", { as, code });
}

function whyPart(state, row) {
  const sentence = whyOf(state, row);
  const post = postOf(state, row)?.post;
  const tries = Number.isInteger(post?.tries) ? post.tries + 1 : 1;
  const outcome = has(`post_${post?.result}`) ? t(`post_${post.result}`, { error: post.error ?? "" }) : "";
  return part("why", t("why"), [sentence, tries, outcome], () => [
    h("p", { data: { testid: "why" } }, sentence),
    tries > 1 && h("p", { class: "note" }, t("postTries", { count: tries })),
    outcome && h("p", { class: "trouble-note" }, outcome),
  ]);
}

/** The steps of a message's life: [{name, at}], in order; a failure has the time of its webhook, if any told it. */
function stepsOf(state, row) {
  if (row.direction === "in") return [step("written", row.createdAt), step("readByBot", row.readAt)].filter(Boolean);
  const status = statusOf(row);
  const failed = [...state.deliveries.values()].find(
    ({ event, body }) => event === "message.failed" && body?.data?.id === row.id,
  );
  return [
    step("accepted", row.createdAt),
    status === "queued" && step("scheduled", row.deliverAt),
    step("sent", row.sentAt),
    step("delivered", row.deliveredAt),
    step("read", row.readAt),
    status === "failed" && { name: "failed", at: failed?.createdAt ?? null },
    status === "canceled" && { name: "canceled", at: null },
  ].filter(Boolean);
}

const step = (name, at) => at && { name, at };

function timelinePart(state, row) {
  const steps = stepsOf(state, row);
  const code = row.errorCode ?? "";
  return part("life", t("life"), [steps, code, row.errorMessage], () =>
    h(
      "ol",
      { class: "timeline", data: { testid: "timeline" } },
      steps.map(({ name, at }, index) => {
        const since = index && at && steps[index - 1].at ? Date.parse(at) - Date.parse(steps[index - 1].at) : null;
        return h(
          "li",
          { class: name, data: { step: name } },
          h("span", { class: "step" }, t(`life_${name}`)),
          at && h("time", { datetime: at, title: whenOf(at) }, name === "scheduled" ? whenOf(at) : clockTime(at)),
          since !== null && name !== "scheduled" && h("span", { class: "since" }, `+ ${duration(since)}`),
          name === "failed" && failure(code, row.errorMessage),
        );
      }),
    ),
  );
}

function failure(code, message) {
  const advice = has(`a_${code}`) ? t(`a_${code}`) : t("a_other");
  return h(
    "div",
    { class: "failed-why", data: { testid: "failed-why" } },
    code && h("p", { class: "mono" }, code),
    h("p", {}, has(`e_${code}`) ? t(`e_${code}`) : (message ?? "")),
    has(`e_${code}`) && message && h("p", { class: "note" }, message),
    h("p", { class: "advice" }, advice),
  );
}

function templatePart(row) {
  if (!row.template) return null;
  const name = typeof row.template === "string" ? row.template : String(row.template.name ?? row.template.id ?? "");
  const variables = Object.entries(row.variables ?? {});
  return part("template", t("templateOf"), [name, variables], () => [
    h("p", { class: "mono" }, name),
    variables.length
      ? pairs(variables.map(([key, value]) => [key, String(value)]))
      : h("p", { class: "note" }, t("noVariables")),
  ]);
}

function webhooksPart(state, row, acts) {
  const about = [...state.deliveries.values()].filter(({ body }) => body?.data?.id === row.id);
  if (!about.length) return null;
  const versions = about.map((each) => [each.id, each.status, each.statusCode]);
  return part("webhooks", t("webhooksOf"), versions, () =>
    h(
      "ul",
      { class: "about" },
      about.map((each) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "about-line", on: { click: () => acts.showDelivery(each.id) } },
            h("span", { class: "mono" }, each.event),
            chip(
              String(answerOf(each) ?? t("pending")),
              accepted(each) ? "good" : answerOf(each) === null ? "warn" : "bad",
            ),
          ),
        ),
      ),
    ),
  );
}

function idsPart(row, acts) {
  const ids = ["id", "messageId", "correlationId", "idempotencyKey", "quoted"].filter((name) => row[name]);
  const labels = row.labels ?? [];
  return part("ids", t("ids"), [ids.map((name) => row[name]), labels], () => [
    pairs(
      ids.map((name) => [t(`id_${name}`), String(row[name]), String(row[name])]),
      acts,
    ),
    labels.length > 0 &&
      h(
        "p",
        { class: "chips" },
        h("span", { class: "note" }, t("labels")),
        labels.map((label) => chip(String(label))),
      ),
  ]);
}
