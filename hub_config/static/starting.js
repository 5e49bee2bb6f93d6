// Follows the start of a member's server and goes there once it is ready.
import { part } from "./part.js";

const bar = part("progress", HTMLProgressElement);
const log = part("log", HTMLOListElement);
const events = new EventSource(part("starting", HTMLDivElement).dataset.progressUrl ?? "");

events.onmessage = (/** @type {MessageEvent<string>} */ received) => {
  const event = JSON.parse(received.data);
  if (event.progress !== undefined) bar.value = event.progress;
  if (event.message) {
    const entry = document.createElement("li");
    entry.textContent = event.message;
    log.append(entry);
  }
  if (event.ready) {
    events.close();
    location.reload();
  }
  if (event.failed) {
    events.close();
    bar.hidden = true;
    part("message", HTMLElement).hidden = true;
    part("details", HTMLDetailsElement).open = true;
    part("failed", HTMLElement).hidden = false;
  }
};
