// The live connection: loads everything, then follows the event stream; when it is lost, says so and does both again.

import { getDeliveries, getMessages, getState } from "./api.js";

const LONGEST_PAUSE_MS = 5000;

/**
 * Follow the sandbox until the page is left.
 * @param {object} on
 * @param {(state, messages, deliveries) => void} on.load everything, after each (re)connection
 * @param {(event: object) => void} on.event one event; those that come during a load are given after it
 * @param {(state: "connecting"|"live"|"lost") => void} on.connection
 */
export function follow(on) {
  let pause = 500;

  function connect() {
    const source = new EventSource("/sandbox/stream");
    let waiting = []; // events that came before the load was done
    let over = false;
    let loads = 0;

    const lose = () => {
      if (over) return;
      over = true;
      source.close();
      on.connection("lost");
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    };

    const give = (event) => (event.kind === "reset" ? load() : on.event(event));

    async function load() {
      const mine = ++loads;
      waiting = [];
      try {
        const [state, messages, deliveries] = await Promise.all([getState(), getMessages(), getDeliveries()]);
        if (over || mine !== loads) return; // a later load has taken over
        on.load(state, messages, deliveries);
      } catch {
        lose();
        return;
      }
      const missed = waiting;
      waiting = null;
      pause = 500;
      on.connection("live");
      missed.forEach(give);
    }

    source.onopen = load;
    source.onerror = lose;
    source.onmessage = ({ data }) => {
      const event = parse(data);
      if (!event) return;
      if (waiting && event.kind !== "reset") waiting.push(event);
      else give(event);
    };
  }

  on.connection("connecting");
  connect();
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null; // not ours to interpret; the next load sets things right
  }
}
