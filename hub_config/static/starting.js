// Follows the start of a member's server and goes there once it is ready.
const page = document.getElementById("starting");
const bar = document.getElementById("progress");
const message = document.getElementById("message");
const log = document.getElementById("log");
const events = new EventSource(page.dataset.progressUrl);

events.onmessage = (received) => {
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
    message.hidden = true;
    document.getElementById("details").open = true;
    document.getElementById("failed").hidden = false;
  }
};
