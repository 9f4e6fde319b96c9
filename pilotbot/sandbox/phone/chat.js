// The conversation in the middle: its bubbles, and what stands there while there are none.

import { aboutVersion, bubble } from "./bubble.js";
import { nameOf } from "./chats.js";
import { personOf } from "./composer.js";
import { byId, h, keepOneTabStop, reconcile } from "./dom.js";
import { dayOf, phoneText } from "./format.js";
import { drawHead } from "./head.js";
import { t } from "./i18n.js";
import {
  chatOf,
  colourOf,
  fromBot,
  messageOf,
  now,
  reactionsOf,
  rowsOf,
  statusOf,
  takenIds,
  writerOf,
} from "./state.js";

const PAGE = 200;
const AROUND = 20; // messages shown ahead of one that is looked for
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
  document.body.removeAttribute("data-empty");
  drawHead(state, chat, acts);
  drawBubbles(state, chat, acts);
}

function drawBubbles(state, chat, acts) {
  const scroll = byId("scroll");
  const rows = shown(state, chat);
  const turned = shownKey !== chat.key;
  if (turned) {
    shownKey = chat.key;
    shownRows = PAGE;
    lastId = null;
  }
  const atEnd = turned || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_THE_END;
  byId("earlier").hidden = rows.length <= shownRows;
  const bubbles = byId("bubbles");
  reconcile(bubbles, rows.length ? items(state, chat, rows.slice(-shownRows), acts) : [quiet(chat, acts)]);
  const all = [...bubbles.querySelectorAll(".bubble")];
  const stop = all.find((each) => each.contains(document.activeElement)) ?? all.at(-1);
  keepOneTabStop(bubbles, ".bubble", (each) => each === stop);

  const last = rows.at(-1);
  const fresh = last && last.id !== lastId;
  lastId = last?.id ?? null;
  if (atEnd || (fresh && last.direction === "in")) toEnd();
  else if (fresh) byId("jump").hidden = false;
}

/** The rows that are bubbles: a reaction shows under the message it is about. */
const shown = (state, chat) =>
  rowsOf(state, chat.key).filter((row) => !row.reaction || !messageOf(state, chat.key, row.reaction.message));

function items(state, chat, rows, acts) {
  const all = rowsOf(state, chat.key);
  const byEither = new Map(all.flatMap((row) => [[row.id, row], ...(row.messageId ? [[row.messageId, row]] : [])]));
  const quotes = new Map(all.map((row) => [row, byEither.get(row.quotedMessageId ?? row.quoted) ?? null]));
  const tapped = new Map();
  for (const [row, menu] of quotes)
    if (menu && row.direction === "in") tapped.set(menu, (tapped.get(menu) ?? new Set()).add(row.text));
  const reacted = all.some((row) => row.reaction);
  const taken = takenIds(state);
  const me = personOf(state);
  const made = [];
  let day = null;
  let before = null;
  for (const row of rows) {
    const today = dayOf(row.createdAt, now(state));
    const fresh = today !== day;
    if (fresh)
      made.push({
        key: `day ${row.createdAt.slice(0, 10)} ${row.id}`,
        version: today,
        build: () => h("p", { class: "day" }, h("span", {}, today)),
      });
    day = today;
    const quoted = quotes.get(row);
    const scheduled = statusOf(row) === "queued" && Date.parse(row.deliverAt ?? "") > now(state);
    const about = {
      quoted,
      quotedColour: quoted && colourOf(state, chat.number, writerOf(quoted)),
      taken: taken.has(row.id),
      tapped: tapped.get(row) ?? new Set(),
      author: chat.kind === "group" && !fromBot(row) ? author(state, chat, row) : null,
      first: fresh || !before || fromBot(before) !== fromBot(row) || before.author !== row.author,
      selected: state.selected === row.id,
      found: state.found === row.id,
      scheduled: scheduled ? row.deliverAt : null,
      reactions: reacted ? reactionsOf(state, row) : [],
      me,
    };
    before = row;
    made.push({ key: row.id, version: aboutVersion(row, about), build: () => bubble(row, about, acts) });
  }
  return made;
}

function author(state, chat, row) {
  const member = chat.members?.find(({ contact }) => contact === row.author);
  return {
    name: row.authorName || member?.name || phoneText(row.author),
    colour: colourOf(state, chat.number, row.author),
  };
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
  const first = state.chats.size === 0;
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

/** Bring a message of the open chat into sight, with the focus on it; as many earlier ones are shown as that takes. */
export function reveal(state, row, draw) {
  const rows = shown(state, chatOf(state, row.key));
  const target = row.reaction ? messageOf(state, row.key, row.reaction.message) : row;
  const at = rows.indexOf(target);
  if (at >= 0 && rows.length - at > shownRows) {
    shownRows = rows.length - at + AROUND;
    draw();
  }
  const node = byId("bubbles").querySelector(`[data-id="${CSS.escape(target?.id ?? row.id)}"]`);
  node?.scrollIntoView({ block: "center" });
  node?.focus({ preventScroll: true });
}

/** Only the tools of the bubble that has the focus are in the tab order. */
function follow(bubbles) {
  bubbles.addEventListener("focusin", ({ target }) => {
    const current = target.closest(".bubble");
    for (const tool of bubbles.querySelectorAll(".tools-of .tool"))
      tool.tabIndex = tool.closest(".bubble") === current ? 0 : -1;
    for (const each of bubbles.querySelectorAll(".bubble")) each.tabIndex = each === current ? 0 : -1;
  });
  bubbles.addEventListener("keydown", (event) => {
    const all = [...bubbles.querySelectorAll(".bubble")];
    const at = all.indexOf(event.target);
    if (at < 0) return;
    if (event.key === "Escape") byId("text").focus();
    const to = all[{ ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key]];
    if (!to) return;
    event.preventDefault();
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  });
}

/** Wire the conversation: the way to the end and to earlier messages, arrow keys among the bubbles. */
export function wireChat(draw) {
  const scroll = byId("scroll");
  follow(byId("bubbles"));
  byId("jump").addEventListener("click", toEnd);
  scroll.addEventListener("scroll", () => {
    if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_THE_END) byId("jump").hidden = true;
  });
  // A picture that arrives late makes the page longer: whoever was at the end stays there.
  const stay = ({ target }) => {
    const grown = target.offsetHeight ?? 0;
    if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_THE_END + grown) toEnd();
  };
  scroll.addEventListener("load", stay, true);
  scroll.addEventListener("loadedmetadata", stay, true);
  byId("earlier").addEventListener("click", () => {
    const before = scroll.scrollHeight;
    shownRows += PAGE;
    draw();
    scroll.scrollTop += scroll.scrollHeight - before;
  });
}
