// A field for a name with the known names below it: arrow keys choose, Enter takes.
let fields = 0;

export const NameField = {
  props: { names: Array, value: String, label: String, hint: String, autofocus: Boolean, revision: Number },
  emits: ["take", "cancel"],
  template: `
    <span class="name-field">
      <input ref="input" type="text" v-model="text" :aria-label="label" :placeholder="hint || label" dir="auto"
        role="combobox" aria-autocomplete="list" :aria-expanded="shown.length > 0" :aria-controls="id"
        :aria-activedescendant="at >= 0 ? id + '-' + at : null"
        autocomplete="off" spellcheck="false" maxlength="1000"
        @input="open = true; at = -1" @focus="onFocus" @blur="onBlur"
        @keydown.stop="onKey" />
      <ul v-if="shown.length" :id="id" class="name-list" role="listbox" :aria-label="label">
        <li v-for="(name, index) in shown" :key="name" :id="id + '-' + index" role="option"
          :aria-selected="index === at" :class="{ 'is-at': index === at }" dir="auto"
          @mousedown.prevent="take(name)">{{ name }}</li>
      </ul>
    </span>
  `,
  data() {
    fields += 1;
    return { text: this.value || "", open: false, at: -1, id: "names-" + fields };
  },
  watch: {
    value(text) {
      this.text = text || "";
    },
    revision() {
      this.text = this.value || "";
    },
  },
  computed: {
    shown() {
      const typed = this.text.trim().toLocaleLowerCase();
      if (!this.open || !typed) return [];
      const fits = this.names.filter((name) => name.toLocaleLowerCase().includes(typed));
      const starts = (name) => (name.toLocaleLowerCase().startsWith(typed) ? 0 : 1);
      return fits.sort((a, b) => starts(a) - starts(b)).slice(0, 8);
    },
  },
  mounted() {
    if (this.autofocus) this.$refs.input.focus();
  },
  methods: {
    onFocus() {
      this.$refs.input.select();
    },
    onBlur() {
      this.open = false;
    },
    onKey(event) {
      const count = this.shown.length;
      if (event.key === "ArrowDown" && count) this.at = (this.at + 1) % count;
      else if (event.key === "ArrowUp" && count) this.at = (this.at + count - 1) % count;
      else if (event.key === "Enter") this.take(this.at >= 0 ? this.shown[this.at] : this.text);
      else if (event.key === "Escape") {
        if (count) this.open = false;
        else this.$emit("cancel");
      } else return;
      event.preventDefault();
    },
    take(name) {
      this.text = name;
      this.open = false;
      this.at = -1;
      if (name.trim()) this.$emit("take", name);
    },
  },
};
