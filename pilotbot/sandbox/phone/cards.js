// Places, contact cards and carousels inside a bubble.

import { h, icon, shape } from "./dom.js";
import { hue, initials, phoneText } from "./format.js";
import { t } from "./i18n.js";
import { formatted } from "./markup.js";
import { media } from "./media.js";
import { optionButton } from "./options.js";
import { optionsOf } from "./state.js";

const AT_AN_END = 8; // pixels that still count as being at an end of the cards

// A sketch of streets: this page loads no map from anywhere.
const STREETS = {
  ground: "M0 0h300v130H0z",
  park: "M206 0h94v52l-70 16-24-30z",
  water: "M0 96c40-14 74 12 118 4s60-18 92-4v34H0z",
  blocks:
    "M14 12h52v30H14zm64 0h44v30H78zm56 0h54v22h-54zM14 54h52v28H14zm64 0h44v24H78zm60-6h48v30h-48zm104 38h46v34h-46z",
  street: "M0 47h190l110 30M72 0v130M128 0v130M196 0l22 130",
};

/** A place that was shared: a sketch with a pin, its name, its address, where it is. */
export function locationCard({ latitude, longitude, name, address }) {
  const where = `${Number(latitude).toFixed(5)}, ${Number(longitude).toFixed(5)}`;
  const at = `${Number(latitude)}/${Number(longitude)}`;
  return h(
    "div",
    { class: "location", data: { testid: "location" } },
    h(
      "div",
      { class: "place-map", "aria-hidden": "true" },
      shape({ viewBox: "0 0 300 130", preserveAspectRatio: "xMidYMid slice", class: "place-streets" }, STREETS),
      icon("pin"),
    ),
    h("p", { class: "place-name" }, name || t("location")),
    address && h("p", { class: "place-address" }, address),
    h("p", { class: "place-where" }, where),
    h(
      "a",
      {
        class: "place-open",
        href: `https://www.openstreetmap.org/?mlat=${Number(latitude)}&mlon=${Number(longitude)}#map=17/${at}`,
        target: "_blank",
        rel: "noopener noreferrer",
      },
      icon("link"),
      t("locationOpen"),
    ),
  );
}

/** Contact cards that were shared; `write(contact)` opens a chat with the person. */
export function contactCards(contacts, write) {
  const card = ({ name, phone }) =>
    h(
      "div",
      { class: "vcard", data: { testid: "contact-card" } },
      h("span", { class: `avatar hue-${hue(phone)}`, "aria-hidden": "true" }, initials(name)),
      h("span", { class: "vcard-name" }, name),
      h("span", { class: "vcard-phone" }, phoneText(phone)),
      h(
        "button",
        {
          type: "button",
          class: "vcard-write",
          "aria-label": `${t("contactMessage")}: ${name}`,
          on: { click: () => write({ contact: phone, name }) },
        },
        t("contactMessage"),
      ),
    );
  return h("div", { class: "vcards" }, contacts.map(card));
}

/** The cards of a carousel, to be moved through sideways. */
export function carousel(row, tapped, acts) {
  const card = (each, index) => {
    const address = Object.values(each.media ?? {}).find((value) => /^(https?|data):/i.test(value));
    const options = optionsOf({ buttons: each.buttons });
    return h(
      "li",
      { class: "card", data: { testid: "card" } },
      address &&
        media(address, each.media.type === "video" ? "video" : "image", {
          id: `${row.id} ${index}`,
          caption: each.body,
        }),
      each.body && h("div", { class: "words" }, formatted(each.body)),
      h(
        "div",
        { class: "card-options" },
        options.map((option) => optionButton(row, option, tapped, acts)),
      ),
    );
  };
  const list = h("ul", { class: "cards", "aria-label": t("cards"), tabindex: "0" }, row.cards.map(card));
  const turn = (label, name, way) =>
    h(
      "button",
      {
        type: "button",
        class: `cards-turn ${name}`,
        tabindex: "-1", // for mice: fingers swipe, and the list itself takes arrow keys
        "aria-label": label,
        title: label,
        data: { testid: `cards-${name}` },
        on: { click: () => list.scrollBy({ left: way * list.clientWidth * 0.8 }) },
      },
      icon("back"),
    );
  const [before, on] = [turn(t("cardsBack"), "before", -1), turn(t("cardsOn"), "on", 1)];
  const look = () => {
    before.hidden = list.scrollLeft <= AT_AN_END;
    on.hidden = list.scrollWidth - list.clientWidth - list.scrollLeft <= AT_AN_END;
  };
  list.addEventListener("scroll", look);
  new ResizeObserver(look).observe(list);
  return h("div", { class: "cards-of" }, list, before, on);
}
