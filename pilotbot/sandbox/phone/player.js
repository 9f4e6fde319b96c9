// A player of sounds: play and pause, where it is, how long it is, how fast. One plays at a time.

import { h, icon } from "./dom.js";
import { length } from "./format.js";
import { t } from "./i18n.js";
import { fill } from "./dom.js";

const SPEEDS = [1, 1.5, 2];
const STEPS = 1000; // of the slider
const KEPT = 50; // players that go on when their bubble is drawn anew

const players = new Map(); // id -> the player's element

/**
 * The player of one sound. It is made once for each id, so that it plays on while the bubble around it is drawn anew.
 * @param {string} id
 * @param {string} address
 * @param {boolean} voice whether it is a voice message
 * @param {() => void} failed called when the sound turns out not to be playable
 * @returns {HTMLElement | null} null where that is known already: it is told once, and the bubble may be drawn anew after that
 */
export function player(id, address, voice, failed) {
  const key = `${id} ${address} ${document.documentElement.lang}`;
  if (!players.has(key)) players.set(key, build(address, voice));
  for (const oldest of players.keys()) {
    if (players.size <= KEPT) break;
    players.delete(oldest);
  }
  const made = players.get(key);
  made.failed = failed;
  return made.sound.error ? null : made.element;
}

function build(address, voice) {
  const sound = new Audio();
  sound.preload = "metadata";
  const button = h("button", { type: "button", class: "player-play", data: { testid: "play" } });
  const slider = h("input", {
    type: "range",
    min: 0,
    max: STEPS,
    value: 0,
    "aria-label": t("position"),
    data: { testid: "position" },
  });
  const time = h("span", { class: "player-time", data: { testid: "duration" } }, length(0));
  const speed = h("button", { type: "button", class: "player-speed", data: { testid: "speed" } });
  const element = h(
    "div",
    { class: `player${voice ? " voice" : ""}`, role: "group", "aria-label": t(voice ? "voice" : "audio") },
    button,
    slider,
    speed,
    h("span", { class: "player-about" }, icon(voice ? "audio" : "sound"), time),
  );
  const made = { element, sound, failed: () => {} };

  const known = () => (Number.isFinite(sound.duration) ? sound.duration : 0); // a live recording does not tell its length
  const draw = () => {
    const label = t(sound.paused ? "play" : "pause");
    if (button.getAttribute("aria-label") !== label) {
      button.setAttribute("aria-label", label);
      fill(button, icon(sound.paused ? "play" : "pause"));
    }
    const part = known() ? sound.currentTime / known() : 0;
    slider.value = Math.round(part * STEPS);
    slider.style.setProperty("--done", `${part * 100}%`);
    slider.setAttribute("aria-valuetext", t("positionOf", { at: length(sound.currentTime), of: length(known()) }));
    time.textContent = length(sound.currentTime > 0 ? sound.currentTime : known());
    speed.textContent = `${new Intl.NumberFormat(document.documentElement.lang).format(sound.playbackRate)}×`;
    speed.setAttribute("aria-label", t("speed", { speed: speed.textContent }));
  };
  for (const event of [
    "loadedmetadata",
    "durationchange",
    "timeupdate",
    "play",
    "pause",
    "ended",
    "ratechange",
    "seeked",
  ])
    sound.addEventListener(event, draw);
  sound.addEventListener("play", () => hush(sound));
  sound.addEventListener("ended", () => (sound.currentTime = 0));
  sound.addEventListener("error", () => made.failed());
  button.addEventListener("click", () => (sound.paused ? sound.play().catch(() => draw()) : sound.pause()));
  slider.addEventListener("input", () => {
    if (known()) sound.currentTime = (slider.value / STEPS) * known();
  });
  speed.addEventListener("click", () => {
    sound.playbackRate = SPEEDS[(SPEEDS.indexOf(sound.playbackRate) + 1) % SPEEDS.length];
  });
  sound.src = address;
  draw();
  return made;
}

let playing = null;

function hush(sound) {
  if (playing !== sound) playing?.pause();
  playing = sound;
}
