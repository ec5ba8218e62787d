// A link to the page that does what an error asks for: that runs the steps, or that names people.
const REMEDIES = [
  { script: /\b0[01245]_\w+\.py/, href: "/collection", text: "Process photos" },
  { script: /\b03_\w+\.py/, href: "/people", text: "Name people" },
];

export const RemedyLink = {
  template: `<a v-if="remedy" class="remedy-link" :href="remedy.href">{{ remedy.text }}</a>`,
  props: { message: String },
  computed: {
    remedy() {
      return REMEDIES.find(({ script }) => script.test(this.message));
    },
  },
};

export default RemedyLink;
