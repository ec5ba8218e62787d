// A large photo with boxes around faces. Keys: arrows, Escape, F for the boxes. A swipe is an arrow key.
import { NameField } from "/static/name_field.js";

const SWIPE = 60; // pixels
const OPENED_FROM = "photo-opened-from"; // the search that is the page before this one in the history of the tab

export default {
  components: { NameField },
  props: { photo: Object, faces: Array, names: Array },
  emits: ["rename", "deny", "reject"],
  template: `
    <div class="viewer" @touchstart.passive="onTouch" @touchend="onTouchEnd" @click.self="menu = null">
      <div class="viewer-frame" :style="ratio">
        <img class="viewer-photo" :src="photo.src" :alt="photo.alt" @error="isBroken = true" v-show="!isBroken" />
        <p v-if="isBroken" class="empty-note" role="alert">The photo cannot be shown.</p>
        <template v-if="showsFaces && !isBroken">
          <button v-for="face in faces" :key="face.id" type="button" class="face-box" :style="place(face)"
            :class="{ 'is-named': face.name, 'is-open': menu === face.id }" :aria-expanded="menu === face.id"
            aria-haspopup="dialog" :aria-label="face.label || 'a face'" @click.stop="toggle(face)">
            <span class="face-name" dir="auto" v-if="face.label">{{ face.label }}</span>
          </button>
        </template>
        <div v-if="opened" class="face-menu" role="dialog" :aria-label="'the face of ' + (opened.label || 'somebody')"
          :style="placeMenu(opened)" @keydown.escape.stop="close" @click.stop>
          <div class="face-menu-head">
            <img :src="opened.src" alt="" />
            <strong dir="auto">{{ opened.label || "unknown" }}</strong>
          </div>
          <name-field :key="opened.id + opened.label" :names="names" value="" label="Who is this?" :autofocus="true"
            @take="decide('rename', $event)" @cancel="close" />
          <p class="face-hint">{{ hint }}</p>
          <button v-if="!opened.is_alone" type="button" class="menu-item" dir="auto" @click="decide('deny')">Not {{ opened.name || "this person" }}</button>
          <button type="button" class="menu-item" @click="decide('reject')">Not a face</button>
          <a v-if="opened.number" class="menu-item" :href="search" dir="auto">Photos of {{ opened.name || "this person" }}</a>
          <a v-if="opened.number" class="menu-item" :href="'/people/' + opened.number">All faces</a>
        </div>
      </div>
      <nav class="viewer-bar" aria-label="photos">
        <a v-if="photo.previous" class="viewer-link" :href="photo.previous" rel="prev" aria-label="previous photo">←</a>
        <span class="viewer-note" v-if="photo.note">{{ photo.note }}</span>
        <a v-if="photo.next" class="viewer-link" :href="photo.next" rel="next" aria-label="next photo">→</a>
        <button v-if="faces.length" type="button" class="viewer-link" :aria-pressed="showsFaces" @click="showsFaces = !showsFaces">
          Faces <span class="key" aria-hidden="true">F</span>
        </button>
        <a class="viewer-link" :href="photo.src" target="_blank" rel="noopener">Large</a>
        <button type="button" class="viewer-link" @click="leave">Back <span class="key" aria-hidden="true">Esc</span></button>
      </nav>
    </div>
  `,
  data() {
    return { menu: null, showsFaces: true, isBroken: false, start: null };
  },
  computed: {
    ratio() {
      const { width, height } = this.photo;
      return width && height ? { "--ratio": width / height } : {};
    },
    opened() {
      return this.faces.find((face) => face.id === this.menu);
    },
    hint() {
      const face = this.opened;
      if (!face.number || face.name) return "A name given here is for this face only.";
      return "Names " + face.label + ", who is on " + face.photos + ".";
    },
    search() {
      const face = this.opened;
      const query = face.name ? { person: face.name } : { q: face.label };
      return "/?" + new URLSearchParams(query);
    },
  },
  mounted() {
    const { origin } = window.location;
    if (document.referrer && document.referrer === origin + this.photo.back) sessionStorage.setItem(OPENED_FROM, this.photo.back);
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("click", this.close);
  },
  beforeUnmount() {
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("click", this.close);
  },
  methods: {
    place(face) {
      return { left: face.left + "%", top: face.top + "%", width: face.width + "%", height: face.height + "%" };
    },
    placeMenu(face) {
      const side = face.left + face.width / 2 > 50 ? { right: 100 - face.left + "%" } : { left: face.left + face.width + "%" };
      return face.top > 45 ? { ...side, bottom: 100 - face.top - face.height + "%" } : { ...side, top: face.top + "%" };
    },
    toggle(face) {
      this.menu = this.menu === face.id ? null : face.id;
    },
    close() {
      // the focus returns from the menu to its face
      if (this.$el.querySelector(".face-menu")?.contains(document.activeElement)) this.$el.querySelector(".face-box.is-open")?.focus();
      this.menu = null;
    },
    decide(what, name) {
      const { id, shown } = this.opened;
      this.close();
      this.$emit(what, { id, shown, name: name || "" });
    },
    leave() {
      const { back } = this.photo;
      // the page before is shown again where it was scrolled to
      if (back && sessionStorage.getItem(OPENED_FROM) !== back) window.location.assign(back);
      else if (window.history.length > 1) window.history.back();
      else window.location.assign("/");
    },
    go(address) {
      // replaces the page, so that the browser's back leads to the search
      if (address) window.location.replace(address);
    },
    onKey(event) {
      const inField = event.target.closest && event.target.closest("input, textarea, select, [role=alertdialog]");
      if (inField || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.key === "ArrowLeft") this.go(this.photo.previous);
      else if (event.key === "ArrowRight") this.go(this.photo.next);
      else if (event.key === "Escape") this.menu ? this.close() : this.leave();
      else if (event.key === "f" || event.key === "F") this.showsFaces = !this.showsFaces;
      else return;
      event.preventDefault();
    },
    onTouch(event) {
      const touch = event.changedTouches[0];
      this.start = event.touches.length === 1 ? [touch.clientX, touch.clientY] : null;
    },
    onTouchEnd(event) {
      if (!this.start || this.menu) return;
      const touch = event.changedTouches[0];
      const [x, y] = [touch.clientX - this.start[0], touch.clientY - this.start[1]];
      this.start = null;
      if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) this.go(x > 0 ? this.photo.previous : this.photo.next);
    },
  },
};
