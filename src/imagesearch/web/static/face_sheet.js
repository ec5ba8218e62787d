// The faces of one person. A click or Space selects; with Shift, all between; the buttons decide about them.
import { NameField } from "/static/name_field.js";

export default {
  components: { NameField },
  props: { faces: Array, names: Array, person: Object, isHidden: Boolean },
  emits: ["deny", "rename", "reject", "restore"],
  template: `
    <div>
      <div class="face-tools">
        <span class="person-counts" role="status">{{ hint }}</span>
        <template v-if="selected.length && isHidden">
          <button type="button" class="button is-primary" @click="decide('restore')">Bring back</button>
        </template>
        <template v-if="selected.length && !isHidden">
          <button type="button" class="button" @click="decide('deny')" dir="auto">Not {{ person.name || "this person" }}</button>
          <name-field :names="names" value="" label="Another name" @take="decide('rename', $event)" />
          <button type="button" class="button" @click="decide('reject')">Not a face</button>
        </template>
        <button type="button" class="quiet-button" v-if="selected.length" @click="selected = []">Clear</button>
        <button type="button" class="quiet-button" v-else @click="selected = faces.map((face) => face.id)">Select all</button>
      </div>
      <ul class="faces">
        <li v-for="(face, index) in faces" :key="face.id">
          <button type="button" class="face" :aria-pressed="isSelected(face)" :class="{ 'is-selected': isSelected(face) }"
            :aria-label="'face ' + (index + 1) + ' in ' + face.path" @click="toggle($event, index)">
            <img :src="face.src" alt="" loading="lazy" />
          </button>
          <a class="face-photo" :href="face.href" :aria-label="'photo ' + face.path" :title="face.path">photo</a>
        </li>
      </ul>
    </div>
  `,
  data() {
    return { selected: [], last: null };
  },
  watch: {
    faces(faces) {
      const ids = new Set(faces.map((face) => face.id));
      this.selected = this.selected.filter((id) => ids.has(id));
    },
  },
  computed: {
    hint() {
      return this.selected.length ? this.selected.length + " selected" : "Select faces to change them";
    },
  },
  methods: {
    isSelected(face) {
      return this.selected.includes(face.id);
    },
    toggle(event, index) {
      const wanted = !this.isSelected(this.faces[index]);
      const from = event.shiftKey && this.last !== null ? Math.min(this.last, index) : index;
      const to = event.shiftKey && this.last !== null ? Math.max(this.last, index) : index;
      const ids = this.faces.slice(from, to + 1).map((face) => face.id);
      const others = this.selected.filter((id) => !ids.includes(id));
      this.selected = wanted ? [...others, ...ids] : others;
      this.last = index;
    },
    decide(what, name) {
      this.$emit(what, { faces: this.selected, name: name || "", shown: this.person });
    },
  },
};
