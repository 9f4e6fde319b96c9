// What this browser remembers between visits: language, contacts not yet written as, what was read. Where the browser
// forbids storage, the page works and forgets.

const PREFIX = "pilotbot.phone.";

/** Store a JSON value under a name. */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the page goes on without a memory.
  }
}

/** The value stored under a name, or null. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}
