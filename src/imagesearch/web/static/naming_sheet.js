// The faces of several photos, of which one in each photo can be chosen, and a field for their name.
import { NameField } from "/static/name_field.js";

export default {
  components: { NameField },
  props: { photos: Array, names: Array, rest: Number },
  emits: ["name", "cancel"],
  template: `
    <div class="naming-sheet" role="dialog" aria-modal="true" aria-label="Name a person in the selected photos">
      <h2 class="naming-title">Who is this?</h2>
      <p class="person-counts" role="status">{{ hint }}</p>
      <div class="naming-field">
        <name-field ref="field" :names="names" value="" label="Name" autofocus @take="take" @cancel="$emit('cancel')" />
        <button type="button" class="button is-primary" :disabled="!chosen.length" @click="take($refs.field.text)">Name {{ faceCount }}</button>
        <button type="button" class="button" @click="$emit('cancel')">Cancel</button>
      </div>
      <ul class="naming-photos">
        <li v-for="photo in photos" :key="photo.id">
          <a :href="'/photos/' + photo.id" target="_blank" class="naming-photo" :aria-label="photo.alt">
            <img :src="'/thumbnail/' + photo.id + '?size=128'" alt="" loading="lazy" /></a>
          <button v-for="(face, index) in photo.faces" :key="face.id" type="button" class="naming-face"
            :aria-pressed="String(selected[photo.id] === face.id)" :aria-label="describe(face, index)" @click="choose(photo, face)">
            <img :src="face.src" alt="" loading="lazy" /><span dir="auto">{{ face.label || "?" }}</span>
          </button>
          <span v-if="!photo.faces.length" class="person-counts">no face was found</span>
        </li>
      </ul>
    </div>
  `,
  data() {
    return { selected: Object.fromEntries(this.photos.map((photo) => [photo.id, photo.chosen])) };
  },
  computed: {
    chosen() {
      return Object.values(this.selected).filter(Boolean);
    },
    faceCount() {
      return this.chosen.length + (this.chosen.length === 1 ? " face" : " faces");
    },
    hint() {
      const hasChoice = (photo) => photo.faces.filter((face) => !face.name).length > 1;
      const open = this.photos.filter((photo) => hasChoice(photo) && !this.selected[photo.id]).length;
      const rest = this.rest ? "; " + this.rest + " further photos are not shown" : "";
      return (open ? "choose a face in " + open + (open === 1 ? " photo" : " photos") + ", or leave them out" : this.faceCount) + rest;
    },
  },
  methods: {
    describe(face, index) {
      return "face " + (index + 1) + (face.label ? ", " + face.label : "");
    },
    choose(photo, face) {
      this.selected[photo.id] = this.selected[photo.id] === face.id ? "" : face.id;
    },
    take(name) {
      if (name.trim() && this.chosen.length) this.$emit("name", { faces: this.chosen, name });
    },
  },
};
