// A small picker of emoji: the common ones, and those used last.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { recall, remember } from "./memory.js";
import { closePopup, openPopup } from "./popup.js";

/** What a contact reacts with most. */
const REACTIONS = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

const COLUMNS = 8;
const GROUPS = {
  emojiFaces:
    "😀 😄 😁 😅 😂 🤣 😊 🙂 😉 😍 🥰 😘 😋 😜 🤪 🤗 🤔 🤫 😐 🙄 😏 😴 😷 🤒 🤢 🤯 😎 🤓 😕 😟 😮 😳 🥺 😢 😭 😱 😤 😡 🤬 🥳",
  emojiPeople: "👍 👎 👌 ✌️ 🤞 🤙 👈 👉 👆 👇 ✋ 👋 👏 🙌 🤝 🙏 💪 👀 🤷 🤦 🙋 💁 🙇 🏃",
  emojiHearts: "❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💕 💯 ✅ ❌ ⚠️ ❓ ❗ ⭐ ✨ 🔥 🎉 💬 💤 🔔 🆗",
  emojiNature: "🌞 🌧️ 🌈 🌊 🌵 🌹 🌻 🍀 🐶 🐱 🐦 🐝 🍎 🍌 🍓 🥑 🍅 🍞 🧀 🍕 🍔 🍟 🍣 🍰 ☕ 🍺 🍷 🥤",
  emojiThings: "🏠 🏢 🏪 🏥 🚗 🚕 🚌 🚲 🛵 ✈️ 🚚 📦 📍 🗺️ ⏰ 📅 📞 📱 💻 📷 🎁 🛒 💳 💵 🧾 ✏️ 📎 🔑 ⚽ 🎵",
};

/** Open the picker beside a button; `pick(emoji)` is called with the one that was chosen. */
export function openEmoji(anchor, pick) {
  const choose = (emoji) => {
    remember("emoji", [emoji, ...used().filter((other) => other !== emoji)].slice(0, COLUMNS));
    closePopup();
    pick(emoji);
  };
  const groups = [["emojiRecent", used()], ...Object.entries(GROUPS).map(([name, all]) => [name, all.split(" ")])];
  const content = h(
    "div",
    { class: "emoji-groups", on: { keydown: move } },
    groups
      .filter(([, all]) => all.length)
      .map(([name, all]) =>
        h(
          "section",
          { "aria-labelledby": `${name}-title` },
          h("h3", { id: `${name}-title` }, t(name)),
          h(
            "div",
            { class: "emoji-grid" },
            all.map((emoji) => emojiButton(emoji, choose)),
          ),
        ),
      ),
  );
  [...content.querySelectorAll("button")].forEach((button, index) => (button.tabIndex = index ? -1 : 0));
  openPopup(anchor, { role: "dialog", label: t("emoji"), class: "emoji-picker" }, content);
}

/** Open the few emoji to react with beside a button; `mine` is the one that stands, to be taken back by choosing it. */
export function openReactions(anchor, mine, react) {
  const choose = (emoji) => {
    closePopup();
    react(emoji);
  };
  const few = mine && !REACTIONS.includes(mine) ? [mine, ...REACTIONS.slice(0, -1)] : REACTIONS;
  const label = t("reactMore");
  const more = h(
    "button",
    {
      type: "button",
      class: "emoji",
      "aria-label": label,
      title: label,
      on: { click: () => openEmoji(anchor, react) },
    },
    icon("plus"),
  );
  const buttons = few.map((emoji) => emojiButton(emoji, choose, { "aria-pressed": String(emoji === mine) }));
  const content = h("div", { class: "reaction-row", on: { keydown: move } }, buttons, more);
  openPopup(anchor, { role: "dialog", label: t("react"), class: "reaction-picker" }, content);
}

/** One emoji to press. */
function emojiButton(emoji, choose, props = {}) {
  return h(
    "button",
    { type: "button", class: "emoji", data: { emoji }, on: { click: () => choose(emoji) }, ...props },
    emoji,
  );
}

const used = () => {
  const known = recall("emoji");
  return Array.isArray(known) ? known.filter((each) => typeof each === "string") : [];
};

/** Arrow keys move through the grid: left and right by one, up and down to the nearest of the next row. */
function move(event) {
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const from = event.target.closest("button");
  const at = buttons.indexOf(from);
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -at, End: buttons.length - 1 - at }[event.key];
  const to = step === undefined ? beside(buttons, from, { ArrowDown: 1, ArrowUp: -1 }[event.key]) : buttons[at + step];
  if (!to) return;
  event.preventDefault();
  buttons.forEach((button) => (button.tabIndex = button === to ? 0 : -1));
  to.focus();
}

function beside(buttons, from, way) {
  if (!way) return null;
  const rows = buttons.filter((button) => (button.offsetTop - from.offsetTop) * way > 0);
  const next = way > 0 ? rows[0] : rows.at(-1);
  const row = rows.filter((button) => button.offsetTop === next.offsetTop);
  return row.reduce(
    (best, button) =>
      !best || Math.abs(button.offsetLeft - from.offsetLeft) < Math.abs(best.offsetLeft - from.offsetLeft)
        ? button
        : best,
    null,
  );
}
