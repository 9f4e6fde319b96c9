// Writing as the contact: text, emoji, quote, in groups as whom.

import { byId, fill, h, icon } from "./dom.js";
import { quotedBlock } from "./bubble.js";
import { nameOf } from "./chats.js";
import { openEmoji } from "./emoji.js";
import { phoneText } from "./format.js";
import { t } from "./i18n.js";
import { chatOf, colourOf, rowsOf, writerOf } from "./state.js";

const TALLEST = 140; // pixels
const SOMEONE = { contact: "+5511987650001", name: "Ana" }; // who writes where nobody is known yet

/** Draw the composer of the open chat. */
export function drawComposer(state, acts) {
  const chat = state.open && chatOf(state, state.open);
  if (!chat) return;
  const text = byId("text");
  const label = t("writeAs", { name: chat.kind === "group" ? authorOf(state, chat).name : nameOf(chat) });
  text.placeholder = label;
  text.setAttribute("aria-label", label);
  drawQuote(state, acts);
  drawAuthors(state, chat, acts);
}

function drawQuote(state, acts) {
  const box = byId("quoting");
  const row = state.quote && state.rows.get(state.quote);
  box.hidden = !row;
  if (!row) return;
  fill(
    box,
    h("span", { class: "spoken" }, t("quoting")),
    quotedBlock(row, colourOf(state, row.number, writerOf(row))),
    h(
      "button",
      {
        type: "button",
        class: "tool",
        "aria-label": t("quoteCancel"),
        title: t("quoteCancel"),
        on: { click: acts.unquote },
      },
      icon("close"),
    ),
  );
}

/** The members of a group, and whoever else has written in it: [{contact, name}]. */
function authorsOf(state, chat) {
  const people = new Map((chat.members ?? []).map(({ contact, name }) => [contact, { contact, name }]));
  for (const { direction, author, authorName } of rowsOf(state, chat.key)) {
    if (direction === "in" && author)
      people.set(author, { contact: author, name: authorName ?? people.get(author)?.name });
  }
  const all = [...people.values()].map(({ contact, name }) => ({ contact, name: name || phoneText(contact) }));
  return all.length ? all : [SOMEONE];
}

/** Who writes in a group: the one that was chosen, else whoever wrote last, else the first member. */
function authorOf(state, chat) {
  const people = authorsOf(state, chat);
  const { chat: key, contact } = byId("author").dataset;
  const last = rowsOf(state, chat.key).findLast((row) => row.direction === "in");
  return (
    people.find((person) => key === chat.key && person.contact === contact) ??
    people.find((person) => person.contact === last?.author) ??
    people[0]
  );
}

/** The address of who writes in the open chat. */
export function personOf(state) {
  const chat = chatOf(state, state.open);
  return chat.kind === "group" ? authorOf(state, chat).contact : chat.contact;
}

function drawAuthors(state, chat, acts) {
  const box = byId("author");
  box.hidden = chat.kind !== "group";
  if (box.hidden) return;
  const people = authorsOf(state, chat);
  const chosen = authorOf(state, chat);
  const version = JSON.stringify([people, chosen.contact, chat.key, document.documentElement.lang]);
  if (box.dataset.version === version) return;
  box.dataset.version = version;
  const choose = ({ target }) => {
    Object.assign(box.dataset, { chat: chat.key, contact: target.value });
    acts.redraw();
  };
  const options = people.map(({ contact, name }) => {
    const phone = phoneText(contact);
    const label = name === phone ? phone : `${name} ${phone}`;
    return h("option", { value: contact, selected: contact === chosen.contact }, label);
  });
  const focused = box.contains(document.activeElement);
  fill(
    box,
    h("label", { for: "author-select" }, t("writingAs")),
    h("select", { id: "author-select", data: { testid: "author" }, on: { change: choose } }, options),
  );
  if (focused) byId("author-select").focus();
}

/** What every inbound message of the open chat says of its sender. */
export function senderOf(state) {
  const chat = chatOf(state, state.open);
  if (chat.kind === "contact")
    return { from: chat.contact, number: chat.number, ...(chat.name ? { name: chat.name } : {}) };
  if (chat.kind === "newsletter")
    return { from: SOMEONE.contact, number: chat.number, event: "newsletter", newsletterId: chat.contact };
  const { contact, name } = authorOf(state, chat);
  const called = name === phoneText(contact) ? {} : { name };
  return { from: contact, number: chat.number, event: "group", groupId: chat.contact, ...called };
}

/** Wire the form. `acts.say(text)` resolves to whether the message was taken; if not, its text comes back. */
export function wireComposer(state, acts) {
  const form = byId("composer");
  const text = byId("text");
  for (const name of ["send", "attach", "emoji"]) byId(name).append(icon(name));
  byId("emoji").addEventListener("click", () => openEmoji(byId("emoji"), insert));
  byId("attach").addEventListener("click", () => acts.attach(byId("attach")));
  text.addEventListener("input", grow);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") acts.unquote();
    if (event.key === "ArrowUp" && !text.value) {
      const last = [...document.querySelectorAll("#bubbles .bubble")].at(-1);
      if (last) event.preventDefault();
      last?.focus();
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words) return;
    write("");
    if (!(await acts.say(words)) && !text.value) write(words);
  });
}

/** Put a text in the composer and the cursor after it. */
export function write(words) {
  byId("text").value = words;
  grow();
  byId("text").focus();
}

/** Put a text where the cursor is. */
function insert(words) {
  const text = byId("text");
  text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
  grow();
  text.focus();
}

function grow() {
  const text = byId("text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, TALLEST)}px`;
}
