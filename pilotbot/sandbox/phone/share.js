// What a contact shares that is no file of the disk: a place, a contact card, a link to a file.

import { h } from "./dom.js";
import { phoneText } from "./format.js";
import { t } from "./i18n.js";
import { field, form, right, show } from "./modal.js";
import { peopleOf } from "./state.js";

const LINK = /^https?:\/\/\S+$/i;
const PHONE = /^\+?[\d\s().-]{3,25}$/;
const SOMETHING = /\S/;
const PLACE = { latitude: -23.561414, longitude: -46.655881, name: "MASP", address: "Av. Paulista, 1578, São Paulo" };
const CARD = { name: "Carla", phone: "+5511987650003" };

/** Ask for a place; `share(message)` is given it. */
export function locationDialog(share) {
  const text = (id, value, more = {}) => h("input", { id, value, autocomplete: "off", data: { testid: id }, ...more });
  const latitude = text("latitude", PLACE.latitude, { inputmode: "decimal" });
  const longitude = text("longitude", PLACE.longitude, { inputmode: "decimal" });
  const name = text("place-name", PLACE.name, { maxlength: 100 });
  const address = text("place-address", PLACE.address, { maxlength: 200 });
  const degrees = (most) => ({
    test: (value) => value !== "" && Math.abs(Number(value.replace(",", "."))) <= most,
  });
  const submit = () => {
    if (!right(latitude, degrees(90)) || !right(longitude, degrees(180))) return false;
    const optional = { name: name.value.trim(), address: address.value.trim() };
    const [north, east] = [latitude, longitude].map(({ value }) => Number(value.replace(",", ".")));
    const place = { latitude: north, longitude: east };
    for (const [key, value] of Object.entries(optional)) if (value) place[key] = value;
    share({ type: "location", location: place });
    return true;
  };
  show(
    t("attachLocation"),
    form(
      submit,
      h(
        "div",
        { class: "field-pair" },
        field(t("latitude"), latitude, t("latitudeWrong")),
        field(t("longitude"), longitude, t("longitudeWrong")),
      ),
      field(t("placeName"), name),
      field(t("placeAddress"), address),
      t("send"),
    ),
  );
  latitude.select();
}

/** Ask for a contact card; `share(message)` is given it. */
export function cardDialog(state, share) {
  const people = peopleOf(state);
  const [first] = people;
  const text = (id, value, more) => h("input", { id, value, autocomplete: "off", data: { testid: id }, ...more });
  const name = text("card-name", first?.name ?? CARD.name, { maxlength: 60 });
  const phone = text("card-phone", first?.contact ?? CARD.phone, { type: "tel" });
  const which = h(
    "select",
    { id: "card-which", data: { testid: "card-which" } },
    people.map(({ contact, name: called }) =>
      h("option", { value: contact }, `${called ?? ""} ${phoneText(contact)}`.trim()),
    ),
    h("option", { value: "" }, t("memberSomeone")),
  );
  which.addEventListener("change", () => {
    const person = people.find(({ contact }) => contact === which.value);
    name.value = person ? (person.name ?? person.contact) : "";
    phone.value = person?.contact ?? "";
    if (!person) name.focus();
  });
  const submit = () => {
    if (!right(name, SOMETHING) || !right(phone, PHONE)) return false;
    share({ type: "contacts", contacts: [{ name: name.value, phone: phone.value }] });
    return true;
  };
  show(
    t("attachContact"),
    form(
      submit,
      people.length > 0 && field(t("contactWhich"), which),
      field(t("name"), name, t("nameWrong")),
      field(t("phone"), phone, t("phoneWrong")),
      t("send"),
    ),
  );
  (people.length ? which : name).focus();
}

/** Ask for a medium by its address; `share(message)` is given it. */
export function linkDialog(share) {
  const sample = `${location.origin}/phone/sample.svg`;
  const kind = h(
    "select",
    { id: "attach-kind" },
    ["image", "video", "audio", "document"].map((each) =>
      h("option", { value: each }, t(each === "image" ? "photo" : each)),
    ),
  );
  const link = h("input", { id: "attach-link", type: "url", value: sample, autocomplete: "off" });
  link.dataset.testid = "attach-link";
  const caption = h("input", { id: "attach-caption", autocomplete: "off", maxlength: 1024 });
  const submit = () => {
    if (!right(link, LINK)) return false;
    const words = kind.value === "audio" ? "" : caption.value.trim();
    share({ media: link.value, mediaType: kind.value, ...(words ? { caption: words } : {}) });
    return true;
  };
  show(
    t("attachByLink"),
    form(
      submit,
      field(t("attachKind"), kind),
      field(t("attachLink"), link, t("linkWrong")),
      h("p", { class: "hint" }, t("attachHint")),
      field(t("attachCaption"), caption),
      t("send"),
    ),
  );
}
