/**
 * Follows a report that is being made and shows the link once it is there.
 * Without this script the page says the same after a reload.
 */

const POLL_MILLISECONDS = 1000;

/** @param {HTMLElement} status */
async function follow(status) {
  // The hub asks it of every request that is not a navigation.
  const token = document.querySelector("input[name=_xsrf]");
  const headers = { "X-XSRFToken": token instanceof HTMLInputElement ? token.value : "" };
  while (status.dataset.step === "running") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    const reply = await fetch(status.dataset.state ?? "", { headers });
    if (!reply.ok) return;
    /** @type {{step: string, made_at: string | null, problem: string}} */
    const state = await reply.json();
    status.dataset.step = state.step;
    show(status, state);
  }
}

/**
 * @param {HTMLElement} status
 * @param {{step: string, made_at: string | null, problem: string}} state
 */
function show(status, state) {
  const problem = status.querySelector("[data-problem]");
  if (problem) problem.textContent = state.problem;
  const shown = { running: state.step === "running", failed: state.step === "failed", made: state.made_at !== null };
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (status.querySelectorAll("[data-when]"))) {
    part.hidden = !shown[/** @type {keyof typeof shown} */ (part.dataset.when)] || (shown.running && part.dataset.when === "made");
  }
  const button = document.querySelector("form button");
  if (button instanceof HTMLButtonElement) button.disabled = shown.running;
}

const status = document.getElementById("report");
if (status) follow(status);
export {};
