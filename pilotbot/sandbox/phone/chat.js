// The conversation in the middle: who, the window, the bubbles.

import { byId, h, reconcile } from "./dom.js";
import { bubble } from "./bubble.js";
import { avatar, nameOf } from "./chats.js";
import { countdown, dayOf, phoneText } from "./format.js";
import { numberName, t } from "./i18n.js";
import { chatOf, now, numberOf, rowsOf, takenIds, windowOf } from "./state.js";

const PAGE = 200;
const AT_THE_END = 80; // pixels from the end that still count as being there

let shownKey = null;
let shownRows = PAGE;
let lastId = null;

/** Draw the open chat, or the page that invites to open one. */
export function drawChat(state, acts) {
  const chat = state.open && chatOf(state, state.open);
  byId("talk").dataset.state = chat ? "chat" : "blank";
  if (!chat) {
    shownKey = null;
    blank(state, acts);
    return;
  }
  byId("talk-avatar").replaceWith(Object.assign(avatar(chat), { id: "talk-avatar" }));
  byId("talk-name").textContent = nameOf(chat);
  const number = numberOf(state, chat.number);
  byId("talk-number").textContent = `${phoneText(chat.contact)} → ${number ? numberName(number) : chat.number}`;
  byId("talk-number").title = number ? phoneText(number.phone) : "";
  drawWindow(state);
  drawBubbles(state, chat, acts);
}

/** Draw the countdown alone; called each second. */
export function drawWindow(state) {
  const chat = state.open && chatOf(state, state.open);
  if (!chat) return;
  const { kind, left } = windowOf(state, chat);
  const text = {
    none: () => t("windowNone"),
    never: () => t("windowNever", { name: nameOf(chat) }),
    closed: () => t("windowClosed"),
    open: () => t("windowOpen", { left: countdown(left) }),
  }[kind]();
  const element = byId("window");
  element.dataset.window = kind;
  if (element.textContent !== text) element.textContent = text;
}

function drawBubbles(state, chat, acts) {
  const scroll = byId("scroll");
  const rows = rowsOf(state, chat.key);
  const turned = shownKey !== chat.key;
  if (turned) {
    shownKey = chat.key;
    shownRows = PAGE;
    lastId = null;
  }
  const atEnd = turned || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_THE_END;
  byId("earlier").hidden = rows.length <= shownRows;
  reconcile(byId("bubbles"), rows.length ? items(state, chat, rows.slice(-shownRows), acts) : [quiet(chat, acts)]);

  const last = rows.at(-1);
  const fresh = last && last.id !== lastId;
  lastId = last?.id ?? null;
  if (atEnd || (fresh && last.direction === "in")) toEnd();
  else if (fresh) byId("jump").hidden = false;
}

function items(state, chat, rows, acts) {
  const taken = takenIds(state);
  const find = (id) => rows.find((row) => id && (row.messageId === id || row.id === id));
  const quotes = new Map(rows.map((row) => [row, find(row.quotedMessageId ?? row.quoted)]));
  const tapped = (row) =>
    new Set(rows.filter((other) => other.direction === "in" && quotes.get(other) === row).map((other) => other.text));
  const made = [];
  let day = null;
  for (const row of rows) {
    const today = dayOf(row.createdAt, now(state));
    if (today !== day)
      made.push({
        key: `day ${row.createdAt.slice(0, 10)} ${row.id}`,
        version: today,
        build: () => h("p", { class: "day" }, h("span", {}, today)),
      });
    day = today;
    const about = {
      quoted: quotes.get(row) ?? null,
      taken: taken.has(row.id),
      tapped: row.direction === "out" ? tapped(row) : new Set(),
      group: chat.kind === "group",
    };
    const version = JSON.stringify([
      row,
      about.quoted?.id,
      about.taken,
      [...about.tapped],
      document.documentElement.lang,
    ]);
    made.push({ key: row.id, version, build: () => bubble(row, about, acts) });
  }
  return made;
}

function quiet(chat, acts) {
  const name = nameOf(chat);
  const samples = [t("sampleOrder"), t("sampleHi")];
  const build = () =>
    h(
      "div",
      { class: "quiet" },
      h("h3", {}, t("quietTitle", { name })),
      h("p", {}, t("quietText", { name })),
      h(
        "p",
        { class: "samples" },
        samples.map((sample) =>
          h("button", { type: "button", class: "pill", on: { click: () => acts.say(sample) } }, sample),
        ),
      ),
    );
  return { key: "quiet", version: `${name}${samples}`, build };
}

function blank(state, acts) {
  const first = state.chats.size + state.drafts.length === 0;
  document.body.toggleAttribute("data-empty", first); // a narrow screen shows the invitation in place of an empty list
  const build = () =>
    h(
      "div",
      { class: "blank-card" },
      h("img", { src: "/phone/icon.svg", alt: "", width: 88, height: 88 }),
      h("h2", {}, t(first ? "welcomeTitle" : "pickTitle")),
      h("p", {}, t(first ? "welcomeText" : "pickText")),
      first &&
        h(
          "p",
          { class: "samples" },
          h(
            "button",
            { type: "button", class: "primary", data: { testid: "sample" }, on: { click: acts.sample } },
            t("welcomeAna"),
          ),
          h("button", { type: "button", class: "pill", on: { click: acts.newContact } }, t("welcomeOther")),
        ),
    );
  const version = `${first}${document.documentElement.lang}`;
  reconcile(byId("blank"), state.loaded ? [{ key: "blank", version, build }] : []);
}

function toEnd() {
  const scroll = byId("scroll");
  scroll.scrollTop = scroll.scrollHeight;
  byId("jump").hidden = true;
}

/** Wire the scroll area: the way to the end, and to earlier messages. */
export function wireChat(draw) {
  const scroll = byId("scroll");
  byId("jump").addEventListener("click", toEnd);
  scroll.addEventListener("scroll", () => {
    if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_THE_END) byId("jump").hidden = true;
  });
  // A picture that arrives late makes the page longer: whoever was at the end stays there.
  scroll.addEventListener(
    "load",
    ({ target }) => {
      const grown = target.offsetHeight ?? 0;
      if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_THE_END + grown) toEnd();
    },
    true,
  );
  byId("earlier").addEventListener("click", () => {
    const before = scroll.scrollHeight;
    shownRows += PAGE;
    draw();
    scroll.scrollTop += scroll.scrollHeight - before;
  });
}
