// @ts-check
/**
 * Draws one quiz and takes its answers; knows neither keys nor scores before the service has told them.
 *
 * One module, because anywidget loads one and nothing here is built. From the top: types, texts, drafts,
 * delivery, one question, the quiz.
 */

/** @typedef {string | number | string[]} Answer */
/** @typedef {{answer: Answer, points: number, max_points: number, right: boolean, attempts_left: number,
 *   feedback: string, choice_feedback: Record<string, string>}} Verdict */
/** @typedef {{id: string, type: "single-choice" | "multiple-choice" | "numeric" | "short-text", points: number,
 *   unit: string, attempts_left: number, prompt: string, choices: {id: string, text: string}[],
 *   last: Verdict | null}} Question */
/** @typedef {{title: string, points: number, max_points: number, questions: Question[]}} Quiz */
/** @typedef {{get(name: "quiz"): Quiz | null, get(name: "messages"): Record<string, string>,
 *   get(name: "name" | "owner" | "language"): string, send(message: object): void,
 *   on(event: string, callback: (...given: any[]) => void): void,
 *   off(event: string, callback: (...given: any[]) => void): void}} Model */
/** @typedef {(name: string, values?: Record<string, string | number>) => string} Say */
/** @typedef {{typed?: string, chosen?: string[], sent?: {event_id: string, answer: Answer}}} Draft */
/** @typedef {"received" | "recorded" | "refused" | "unreachable" | "silent"} News */

const SILENCE_MS = 6_000; // the kernel says "received" at once unless it is busy or gone
const REPLY_MS = 30_000; // more than the kernel waits for the service
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 30_000;

// ---- texts

/** Numbers come out as the language writes them; `max`, `count` or `points` picks the plural. @param {Model} model @returns {Say} */
function speaker(model) {
  const messages = model.get("messages");
  const language = model.get("language");
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const plural = new Intl.PluralRules(language);
  return (name, values = {}) => {
    const amount = Number(values.max ?? values.count ?? values.points ?? 0);
    const text = messages[name] ?? messages[`${name}.${plural.select(amount) === "one" ? "one" : "other"}`] ?? name;
    return text.replace(/\{(\w+)\}/g, (_, key) => {
      const value = values[key] ?? "";
      return typeof value === "number" ? number.format(value) : value;
    });
  };
}

/**
 * Reads a number as people write it: spaces between thousands, a comma or a point before decimals.
 * @param {string} text @param {string} language @returns {number | null}
 */
export function parseNumber(text, language) {
  let plain = text.trim().replace(/[\s\u00a0\u202f']/g, "").replace("−", "-");
  if (language !== "fr" && /^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(plain)) plain = plain.replaceAll(",", "");
  plain = plain.replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i.test(plain) ? Number(plain) : null;
}

/** @param {string} tag @param {Record<string, any>} properties @param {(Node | string)[]} children */
function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) /** @type {any} */ (node)[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** @param {string} html Made by the kernel from Markdown, without any HTML of an author. @param {string} className */
function markup(html, className) {
  return element("div", { className: `spoc-markup ${className}`, innerHTML: html });
}

/** A version 4 UUID; `crypto.randomUUID` is missing where the page does not come by https. */
function newEventId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// ---- drafts

/** What was typed or sent and has no verdict yet, so that a closed tab loses nothing. */
class Drafts {
  /** @param {Model} model */
  constructor(model) {
    this.prefix = `spoc-quiz:${model.get("owner")}:${model.get("name")}:`;
    /** @type {Map<string, Draft>} Kept beside the browser's storage, which may be full or switched off. */
    this.kept = new Map();
  }

  /** @param {string} question @returns {Draft} */
  of(question) {
    if (!this.kept.has(question)) {
      let draft = {};
      try {
        draft = JSON.parse(localStorage.getItem(this.prefix + question) ?? "{}");
      } catch {
        // Unreadable or switched off: start without a draft.
      }
      this.kept.set(question, draft);
    }
    return /** @type {Draft} */ (this.kept.get(question));
  }

  /** @param {string} question @param {Draft} draft */
  keep(question, draft) {
    this.kept.set(question, draft);
    try {
      localStorage.setItem(this.prefix + question, JSON.stringify(draft));
    } catch {
      // Full or switched off: the draft lives as long as this page.
    }
  }

  /** @param {string} question */
  drop(question) {
    this.kept.set(question, {});
    try {
      localStorage.removeItem(this.prefix + question);
    } catch {
      // Switched off: there is nothing to remove.
    }
  }
}

// ---- delivery

/** Sends one message until it is settled; every repeat carries the same event id. */
class Delivery {
  /**
   * @param {Model} model @param {{type: string, event_id: string}} message
   * @param {(news: News, text: string) => void} tell
   */
  constructor(model, message, tell) {
    this.model = model;
    this.message = message;
    this.tell = tell;
    this.wait = FIRST_RETRY_MS;
    this.timer = 0;
    this.onMessage = (/** @type {{type: News, event_id: string, text?: string}} */ reply) => {
      if (reply.event_id === this.message.event_id) this.hear(reply.type, reply.text ?? "");
    };
    model.on("msg:custom", this.onMessage);
    this.send();
  }

  send() {
    this.again(SILENCE_MS, () => this.hear("silent", ""));
    this.model.send(this.message);
  }

  /** @param {News} news @param {string} text */
  hear(news, text) {
    if (news === "received") {
      this.again(REPLY_MS, () => this.hear("unreachable", ""));
    } else if (news === "recorded" || news === "refused") {
      this.stop();
    } else {
      this.again(this.wait, () => this.send());
      this.wait = Math.min(2 * this.wait, LONGEST_RETRY_MS);
    }
    this.tell(news, text);
  }

  /** @param {number} delay @param {() => void} action */
  again(delay, action) {
    clearTimeout(this.timer);
    this.timer = setTimeout(action, delay);
  }

  stop() {
    clearTimeout(this.timer);
    this.model.off("msg:custom", this.onMessage);
  }
}

// ---- one question

class QuestionView {
  /** @param {Model} model @param {Say} say @param {Drafts} drafts @param {Question} question @param {string} heading */
  constructor(model, say, drafts, question, heading) {
    this.model = model;
    this.say = say;
    this.drafts = drafts;
    this.question = question;
    /** @type {Delivery | null} */
    this.delivery = null;
    this.drawn = "";
    this.id = `spoc-${newEventId()}`;
    /** @type {HTMLInputElement[]} */
    this.inputs = [];
    /** @type {Map<string, HTMLElement>} */
    this.notes = new Map();
    this.worth = element("span", { className: "spoc-worth" });
    this.fieldset = /** @type {HTMLFieldSetElement} */ (element("fieldset", { "aria-describedby": this.id }));
    this.check = element("button", { type: "submit", className: "spoc-button" });
    this.retry = element("button", { type: "button", className: "spoc-button spoc-quiet", hidden: true }, say("try-again"));
    this.left = element("span", { className: "spoc-left" });
    this.actions = element("div", { className: "spoc-actions" }, this.check, this.retry, this.left);
    this.status = element("div", { className: "spoc-status", role: "status", tabIndex: -1 });
    this.node = /** @type {HTMLFormElement} */ (element("form", { className: "spoc-question", noValidate: true }));
    this.node.dataset.type = question.type;
    this.draw(heading);
    this.update(question);
    const unsettled = drafts.of(question.id).sent;
    if (unsettled && this.open) this.deliver(unsettled.event_id, unsettled.answer);
  }

  get open() {
    return this.question.attempts_left > 0;
  }

  /** @param {string} heading */
  draw(heading) {
    const { prompt, type } = this.question;
    const described = markup(prompt, "spoc-prompt");
    described.id = this.id;
    const number = element("span", { className: "spoc-number", id: `${this.id}-number` }, heading);
    this.check.setAttribute("aria-describedby", number.id);
    this.fieldset.append(
      element("legend", {}, number, this.worth),
      described,
      type === "numeric" || type === "short-text" ? this.drawField() : this.drawChoices(),
    );
    this.node.append(this.fieldset, this.actions, this.status);
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.node.addEventListener("input", () => this.keepDraft());
    this.retry.addEventListener("click", () => this.delivery?.send());
  }

  drawChoices() {
    const several = this.question.type === "multiple-choice";
    const list = element("div", { className: "spoc-choices" });
    list.append(element("p", { className: "spoc-hint" }, this.say(several ? "choose-several" : "choose-one")));
    for (const { id, text } of this.question.choices) {
      const note = element("div", { className: "spoc-note spoc-markup", id: `${this.id}-${id}`, "aria-live": "polite" });
      const input = /** @type {HTMLInputElement} */ (
        element("input", {
          type: several ? "checkbox" : "radio",
          name: this.id,
          value: id,
          "aria-describedby": note.id,
        })
      );
      const label = element("label", {}, input, element("span", { className: "spoc-markup", innerHTML: text }));
      this.inputs.push(input);
      this.notes.set(id, note);
      list.append(element("div", { className: "spoc-choice" }, label, note));
    }
    return list;
  }

  drawField() {
    const { type, unit } = this.question;
    const name = type === "short-text" ? "your-answer" : unit ? "your-number-in" : "your-number";
    const input = /** @type {HTMLInputElement} */ (
      element("input", {
        type: "text",
        id: `${this.id}-field`,
        autocomplete: "off",
        spellcheck: false,
        maxLength: 1000,
        ...(type === "numeric" ? { inputMode: "decimal" } : {}),
      })
    );
    this.inputs.push(input);
    const label = element("label", { className: "spoc-hint", htmlFor: input.id }, this.say(name, { unit }));
    const field = element("div", { className: `spoc-field spoc-${type}` }, label, input);
    if (unit) field.append(element("span", { className: "spoc-unit", "aria-hidden": "true" }, unit));
    return field;
  }

  /** What stands in the form. @returns {Draft} */
  get filledIn() {
    const chosen = this.inputs.filter((input) => input.checked).map((input) => input.value);
    return this.notes.size ? { chosen } : { typed: this.inputs[0].value };
  }

  /** The answer in the form, or the name of what is missing. @returns {{answer: Answer} | {missing: string}} */
  get given() {
    const { chosen = [], typed = "" } = this.filledIn;
    switch (this.question.type) {
      case "single-choice":
        return chosen.length ? { answer: chosen[0] } : { missing: "choose-first" };
      case "multiple-choice":
        return chosen.length ? { answer: chosen } : { missing: "choose-first" };
      case "short-text":
        return typed.trim() ? { answer: typed.trim() } : { missing: "write-first" };
      case "numeric": {
        const number = parseNumber(typed, this.model.get("language"));
        return number === null ? { missing: "write-number" } : { answer: number };
      }
    }
  }

  keepDraft() {
    if (!this.delivery) this.drafts.keep(this.question.id, this.filledIn);
  }

  submit() {
    if (this.delivery || !this.open) return;
    const given = this.given;
    if ("missing" in given) {
      this.show("spoc-problem", this.say(given.missing, { example: 12.5 }));
      this.inputs[0].focus();
    } else {
      this.deliver(newEventId(), given.answer);
    }
  }

  /** @param {string} event_id @param {Answer} answer */
  deliver(event_id, answer) {
    this.drafts.keep(this.question.id, { ...this.filledIn, sent: { event_id, answer } });
    const message = { type: "answer", event_id, question: this.question.id, answer };
    this.delivery = new Delivery(this.model, message, (news, text) => this.hear(news, text));
    this.showActions();
  }

  /** @param {News} news @param {string} text */
  hear(news, text) {
    const settled = news === "recorded" || news === "refused";
    if (settled) {
      const held = this.node.contains(document.activeElement);
      this.delivery = null;
      this.retry.hidden = true;
      if (news === "recorded") this.drafts.drop(this.question.id);
      else this.keepDraft();
      this.drawn = "";
      this.update(this.question);
      // A button that goes away under the keyboard would hand its keys to the notebook.
      if (held && !this.open) this.status.focus();
    }
    if (news === "refused") {
      this.show("spoc-problem", text);
      this.model.send({ type: "load", event_id: newEventId() });
    } else if (news === "unreachable" || news === "silent") {
      this.retry.hidden = false;
      this.show("spoc-problem", this.say(news));
    } else if (news === "received") {
      this.retry.hidden = true;
    }
  }

  /** @param {Question} question */
  update(question) {
    this.question = question;
    const state = JSON.stringify(question);
    // Drawing again what stands there would have a screen reader say it again.
    if (this.delivery || state === this.drawn) return;
    this.drawn = state;
    const { last } = question;
    if (!this.open) this.drafts.drop(question.id);
    const draft = this.drafts.of(question.id);
    this.fill(draft.chosen || draft.typed !== undefined ? draft : answered(last, this.model.get("language")));
    for (const [choice, note] of this.notes) note.innerHTML = last?.choice_feedback[choice] ?? "";
    this.node.dataset.state = last ? stateOf(last) : "";
    this.fieldset.disabled = !this.open;
    if (last) this.showVerdict(last);
    this.showActions();
  }

  /** @param {Draft} draft */
  fill(draft) {
    for (const input of this.inputs) {
      if (this.notes.size) input.checked = draft.chosen?.includes(input.value) ?? false;
      else input.value = draft.typed ?? "";
    }
  }

  /** @param {Verdict} verdict */
  showVerdict(verdict) {
    const { points, max_points: max, feedback, right } = verdict;
    const outcome = right ? "right" : points > 0 ? "partly" : this.open ? "not-yet" : "wrong";
    const line = element("p", { className: "spoc-outcome" }, element("strong", {}, this.say(outcome)), " ");
    line.append(this.say("score", { points, max }));
    this.show("spoc-verdict", line, ...(feedback ? [markup(feedback, "spoc-feedback")] : []));
  }

  showActions() {
    const sending = this.delivery !== null;
    const { attempts_left: count, points, last } = this.question;
    this.worth.textContent = this.say("worth", { points });
    this.check.textContent = this.say(sending ? "checking" : "check");
    this.check.setAttribute("aria-disabled", String(sending));
    this.check.hidden = !this.open;
    this.left.textContent = this.say(count ? "left" : "left.none", { count });
    this.actions.hidden = last?.right ?? false;
  }

  /** @param {string} kind @param {(Node | string)[]} content */
  show(kind, ...content) {
    this.status.className = `spoc-status ${kind}`;
    this.status.replaceChildren(...content);
  }
}

/** @param {Verdict} verdict */
function stateOf({ right, points }) {
  return right ? "right" : points > 0 ? "partly" : "wrong";
}

/** What the form showed when `verdict` was given. @param {Verdict | null} verdict @param {string} language @returns {Draft} */
function answered(verdict, language) {
  if (!verdict) return {};
  const { answer } = verdict;
  if (typeof answer === "number") {
    return { typed: new Intl.NumberFormat(language, { maximumFractionDigits: 15, useGrouping: false }).format(answer) };
  }
  return typeof answer === "string" ? { chosen: [answer], typed: answer } : { chosen: answer };
}

// ---- the quiz

class QuizView {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.say = speaker(model);
    this.drafts = new Drafts(model);
    /** @type {QuestionView[]} */
    this.questions = [];
    /** @type {Delivery | null} */
    this.loading = null;
    this.node = element("section", { className: "spoc-quiz", lang: model.get("language") });
    this.total = element("span", { className: "spoc-total" });
    this.bar = element("span", { className: "spoc-bar-fill" });
    // Plain keys are the notebook's commands; only chords such as Ctrl+S may leave the quiz.
    this.node.addEventListener("keydown", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
    });
    el.append(this.node);
    this.onQuiz = () => this.update();
    model.on("change:quiz", this.onQuiz);
    this.update();
  }

  update() {
    const quiz = this.model.get("quiz");
    if (!quiz) return this.load();
    if (!this.questions.length) this.draw(quiz);
    const { points, max_points: max } = quiz;
    this.total.textContent = this.say("score", { points, max });
    this.bar.style.width = `${max ? (100 * points) / max : 0}%`;
    for (const [index, question] of quiz.questions.entries()) this.questions[index]?.update(question);
  }

  /** @param {Quiz} quiz */
  draw(quiz) {
    this.loading?.stop();
    const title = element("h3", { className: "spoc-title", id: `spoc-${newEventId()}` }, quiz.title);
    const bar = element("span", { className: "spoc-bar", "aria-hidden": "true" }, this.bar);
    this.questions = quiz.questions.map((question, index) => {
      const heading = this.say("question", { number: index + 1, count: quiz.questions.length });
      return new QuestionView(this.model, this.say, this.drafts, question, heading);
    });
    this.node.setAttribute("aria-labelledby", title.id);
    this.node.replaceChildren(
      element("header", {}, title, element("div", { className: "spoc-progress" }, bar, this.total)),
      ...this.questions.map(({ node }) => node),
    );
  }

  /** The service was down when the cell ran: ask again until it is there. */
  load() {
    const retry = element("button", { type: "button", className: "spoc-button" }, this.say("try-again"));
    const status = element("div", { className: "spoc-status spoc-problem", role: "status" });
    this.node.replaceChildren(status, element("div", { className: "spoc-actions" }, retry));
    this.loading = new Delivery(this.model, { type: "load", event_id: newEventId() }, (news, text) => {
      const text_by_news = { refused: text, silent: this.say("silent"), unreachable: this.say("not-loaded") };
      if (news in text_by_news) status.textContent = text_by_news[/** @type {"refused"} */ (news)];
    });
    status.textContent = this.say("not-loaded");
    retry.addEventListener("click", () => this.loading?.send());
  }

  remove() {
    this.model.off("change:quiz", this.onQuiz);
    this.loading?.stop();
    for (const { delivery } of this.questions) delivery?.stop();
    this.node.remove();
  }
}

/** @param {{model: Model, el: HTMLElement}} given */
function render({ model, el }) {
  const view = new QuizView(model, el);
  return () => view.remove();
}

export default { render };
