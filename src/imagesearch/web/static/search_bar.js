// The search box with completion, the chips of how a sentence was read, notes, and a photo to search by.
// It also keeps the address: `visit` adds an entry to the history, and going back or forward is an event.
import { RemedyLink } from "/static/remedy_link.js";

const COMPLETE_AFTER = 15; // milliseconds after the last key

export default {
  components: { RemedyLink },
  template: `
    <section class="search-bar" role="search" :class="{dropping}">
      <div class="search-line">
        <button v-if="photo" type="button" class="search-photo" @click="dropPhoto" title="Search without this photo" :aria-label="'Search without ' + photo.name">
          <img v-if="photo.address || preview" :src="photo.address || preview" alt="" @error="preview = ''">
          <span>{{ photo.name }} ×</span>
        </button>
        <div class="search-field">
          <input ref="box" class="search-box" type="search" v-model="typed" aria-label="Search" autocomplete="off"
            autocapitalize="none" spellcheck="false" enterkeyhint="search" maxlength="2000" autofocus
            :placeholder="photo ? 'add words: at night, with maya…' : 'maya on the beaches of goa in 2023'"
            role="combobox" aria-autocomplete="list" aria-controls="completions" aria-haspopup="listbox"
            :aria-expanded="String(open)" :aria-activedescendant="open && at >= 0 ? 'completion-' + at : undefined"
            @input="onInput" @keydown="onKey" @blur="onBlur" @paste="onPaste">
          <ul v-show="open" id="completions" class="completions" role="listbox" aria-label="names">
            <li v-for="(one, n) in completions" :key="one.kind + one.label" :id="'completion-' + n" role="option"
              :aria-selected="String(n === at)" :class="{active: n === at}" @mousedown.prevent="accept(one)">
              <span class="completion-kind">{{ one.kind }}</span>
              <span class="completion-label">{{ one.label }}</span>
              <span class="completion-count">{{ one.count }}</span>
            </li>
          </ul>
        </div>
        <button type="button" class="search-button" @click="search" aria-label="Search now">Search</button>
        <label class="tool-button photo-button" title="Search by a photo: choose, drop or paste it">
          <span aria-hidden="true">+</span><span>Photo</span>
          <input type="file" accept="image/*" class="visually-hidden" aria-label="Search by a photo" @change="onChoose">
        </label>
        <button type="button" class="tool-button" @click="$emit('filters')" :aria-expanded="String(filtersOpen)">Filters<span v-if="filters.length" class="badge">{{ filters.length }}</span></button>
      </div>
      <div v-if="photo && faces.length" class="photo-faces" role="group" aria-label="faces in the photo">
        <span>Only this person:</span>
        <button v-for="(one, n) in faces" :key="one.src" type="button" class="photo-face" :aria-pressed="String(n === face)"
          :aria-label="'Search for ' + one.label" @click="send('face', {number: n === face ? -1 : n, text: typed})"><img :src="one.src" alt=""></button>
      </div>
      <div v-if="chips.length || filters.length" class="chips" role="list" aria-label="read as">
        <span v-for="chip in chips" :key="chip.kind + chip.label" class="chip" :class="'chip-' + chip.kind" role="listitem">
          <button type="button" class="chip-text" @click="select(chip)" :title="'Change ' + chip.label">
            <span class="chip-kind">{{ chip.kind }}</span>{{ chip.label }}</button>
          <button v-if="chip.rest !== null || chip.pending" type="button" class="chip-remove" :disabled="chip.pending" @click="remove(chip)"
            :aria-label="'Remove ' + chip.label">×</button>
        </span>
        <span v-for="filter in filters" :key="filter.name + filter.value" class="chip chip-filter" role="listitem">
          <input v-if="edited === filter.name + filter.value" ref="edit" class="chip-edit" :value="filter.value" :aria-label="'Change ' + filter.label"
            maxlength="200" autocomplete="off" spellcheck="false" @keydown.enter.prevent="changeFilter(filter, $event.target.value)"
            @keydown.esc.stop="stopEdit" @blur="edited = null">
          <button v-else-if="filter.edit" type="button" class="chip-text" :title="'Change ' + filter.label" @click="openFilter(filter)">
            <span class="chip-kind">{{ filter.kind }}</span>{{ filter.label }}</button>
          <span v-else class="chip-text"><span class="chip-kind">{{ filter.kind }}</span>{{ filter.label }}</span>
          <button type="button" class="chip-remove" @click="$emit('unfilter', {name: filter.name, value: filter.value})"
            :aria-label="'Remove ' + filter.label">×</button>
        </span>
      </div>
      <p v-if="error" class="notice notice-error" role="alert">{{ error }} <remedy-link :message="error" /></p>
      <p v-for="note in notes" :key="note.text" class="notice" :class="'notice-' + note.kind">{{ note.text }}</p>
      <p class="search-status" aria-live="polite" :class="{busy}">{{ busy ? "Searching…" : status }}</p>
      <div v-if="dropping" class="drop-here" aria-hidden="true">Drop a photo to search by it</div>
    </section>
  `,
  props: {
    text: String,
    serial: Number, // changes with each answer, so that the box follows the server
    answers: { type: Number, default: 0 }, // the number of the query that was answered
    chips: { type: Array, default: () => [] },
    filters: { type: Array, default: () => [] },
    notes: { type: Array, default: () => [] },
    error: { type: String, default: "" },
    status: { type: String, default: "" },
    busy: Boolean,
    photo: { type: Object, default: null },
    faces: { type: Array, default: () => [] }, // in the photo
    face: { type: Number, default: -1 }, // the one that is searched by
    filtersOpen: Boolean,
    maxBytes: { type: Number, default: 2 ** 25 },
  },
  emits: ["search", "complete", "filters", "open", "unfilter", "refilter", "photo", "nophoto", "face", "navigate", "refused"],
  data() {
    return { typed: this.text, completions: [], open: false, at: -1, dropping: false, preview: "", edited: null };
  },
  watch: {
    serial() {
      // words that were typed, or a query that was sent, while the answer was on its way
      if (this.isEdited || this.answers < this.queries) return;
      this.typed = this.text;
      this.close();
    },
  },
  mounted() {
    this.asked = 0;
    this.isEdited = false; // since the last query was sent
    this.queries = 0; // that were sent
    this.depth = 0;
    this.listeners = [
      [window, "popstate", () => this.send("navigate", { search: location.search })],
      [document, "keydown", this.onShortcut],
      [document, "dragenter", this.onDragEnter],
      [document, "dragover", (event) => this.hasFile(event) && event.preventDefault()],
      [document, "dragleave", this.onDragLeave],
      [document, "drop", this.onDrop],
      [document, "paste", this.onPaste],
    ];
    for (const [target, name, listener] of this.listeners) target.addEventListener(name, listener);
  },
  beforeUnmount() {
    for (const [target, name, listener] of this.listeners) target.removeEventListener(name, listener);
    clearTimeout(this.timer);
  },
  methods: {
    search() {
      this.close();
      this.send("search", { text: this.typed });
    },
    // Send a query; its answer sets the text of the box, unless other words are typed meanwhile.
    send(name, query) {
      this.isEdited = false;
      this.queries += 1;
      this.$emit(name, { ...query, query: this.queries });
    },
    visit(address) {
      if (location.pathname + location.search === address) return;
      const shown = Number(document.querySelector(".grid-rows").dataset.shown);
      history.replaceState({ ...history.state, shown, y: window.scrollY }, "");
      history.pushState({}, "", address);
    },
    // --- chips
    remove(chip) {
      this.typed = chip.rest;
      this.search();
      this.$refs.box.focus();
    },
    select(chip) {
      this.typed = this.text;
      this.$nextTick(() => {
        this.$refs.box.focus();
        if (chip.start !== null) this.$refs.box.setSelectionRange(chip.start, chip.end);
      });
    },
    // A filter is changed in the drawer, or in its chip if the drawer has no field for it.
    openFilter(filter) {
      if (filter.edit === "drawer") {
        this.$emit("open", { name: filter.name });
        return;
      }
      this.edited = filter.name + filter.value;
      this.$nextTick(() => this.$refs.edit[0].select());
    },
    changeFilter(filter, text) {
      this.edited = null;
      this.$refs.box.focus();
      if (text.trim() === filter.value) return;
      this.$emit("refilter", { name: filter.name, value: filter.value, text: text.trim() });
    },
    stopEdit() {
      this.edited = null;
      this.$refs.box.focus();
    },
    // --- completion
    onInput() {
      this.isEdited = true;
      clearTimeout(this.timer);
      if (!this.typed) {
        this.close();
        return;
      }
      this.timer = setTimeout(() => {
        this.asked += 1;
        this.$emit("complete", { text: this.typed, cursor: this.$refs.box.selectionStart, serial: this.asked });
      }, COMPLETE_AFTER);
    },
    offer(completions, serial) {
      if (serial !== this.asked || document.activeElement !== this.$refs.box) return;
      this.completions = completions;
      this.open = completions.length > 0;
      this.at = -1;
    },
    accept(one) {
      this.isEdited = true;
      this.typed = this.typed.slice(0, one.start) + one.insert + this.typed.slice(one.end).replace(/^\s*/, " ");
      const cursor = one.start + one.insert.length + 1;
      this.close();
      this.$nextTick(() => {
        this.$refs.box.focus();
        this.$refs.box.setSelectionRange(cursor, cursor);
      });
    },
    close() {
      clearTimeout(this.timer);
      this.asked = (this.asked ?? 0) + 1;
      this.open = false;
      this.at = -1;
    },
    onBlur() {
      this.close();
    },
    onKey(event) {
      if (event.isComposing) return;
      const count = this.completions.length;
      if (event.key === "Enter") {
        event.preventDefault();
        if (this.open && this.at >= 0) this.accept(this.completions[this.at]);
        else this.search();
      } else if (this.open && event.key === "ArrowDown") {
        event.preventDefault();
        this.at = (this.at + 1) % count;
      } else if (this.open && event.key === "ArrowUp") {
        event.preventDefault();
        this.at = this.at <= 0 ? count - 1 : this.at - 1;
      } else if (this.open && event.key === "Tab" && !event.shiftKey) {
        event.preventDefault();
        this.accept(this.completions[Math.max(this.at, 0)]);
      } else if (this.open && event.key === "Escape") {
        event.preventDefault();
        this.close();
      }
    },
    onShortcut(event) {
      if (event.key !== "/" || event.target.closest("input, textarea, select, [contenteditable]")) return;
      event.preventDefault();
      this.$refs.box.focus();
      this.$refs.box.select();
    },
    // --- a photo to search by
    hasFile(event) {
      return [...(event.dataTransfer?.types ?? [])].includes("Files");
    },
    onDragEnter(event) {
      if (!this.hasFile(event)) return;
      event.preventDefault();
      this.depth += 1;
      this.dropping = true;
    },
    onDragLeave(event) {
      if (!this.hasFile(event)) return;
      this.depth = Math.max(0, this.depth - 1);
      this.dropping = this.depth > 0;
    },
    onDrop(event) {
      if (!this.hasFile(event)) return;
      event.preventDefault();
      this.depth = 0;
      this.dropping = false;
      this.upload(event.dataTransfer.files[0]);
    },
    onPaste(event) {
      const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
      if (!file || event.defaultPrevented) return;
      event.preventDefault();
      this.upload(file);
    },
    onChoose(event) {
      this.upload(event.target.files[0]);
      event.target.value = "";
    },
    async upload(file) {
      if (!file) return;
      if (file.size > this.maxBytes) {
        this.$emit("refused", { reason: "this photo is too large; the limit is " + Math.round(this.maxBytes / 2 ** 20) + " MB" });
        return;
      }
      try {
        if (this.preview) URL.revokeObjectURL(this.preview);
        this.preview = URL.createObjectURL(file);
        const response = await fetch("/query-photo?name=" + encodeURIComponent(file.name || "photo"), { method: "POST", body: file });
        const answer = await response.json();
        if (answer.token) this.send("photo", { token: answer.token, name: file.name || "pasted photo", text: this.typed });
        else this.$emit("refused", { reason: answer.error });
      } catch {
        this.$emit("refused", { reason: "the photo could not be sent" });
      }
    },
    dropPhoto() {
      this.send("nophoto", { text: this.typed });
    },
  },
};
