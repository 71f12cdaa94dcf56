import { ref } from "vue";

const unread = ref(0);

/** How much one has not read yet: whoever counts says it, the page's title and the app's icon show it. */
export const useUnread = () => ({ unread });

/** A page's title with the count before it. */
export const titled = (title: string, count: number) =>
  count > 0 ? `(${count > 99 ? "99+" : count}) ${title}` : title;
