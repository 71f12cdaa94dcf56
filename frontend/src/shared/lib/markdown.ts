import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";

/** What a text may name: people by lower-case username, and whether pictures among its ticket's files are shown. */
export interface Named {
  people?: ReadonlyMap<string, string>;
  pictures?: boolean;
}

const reader = new MarkdownIt({ html: false, linkify: true, breaks: true });
const escape = reader.utils.escapeHtml;
const MENTION = /@([A-Za-z0-9][A-Za-z0-9._-]{0,62})(?![\w@])/y;
const WITHIN = /[\w@./\\:+-]/; // what a mention never stands behind
const PICTURE = /^attachment:(\d{1,18})$/;

// `@username` of somebody the text names becomes their name; every other @ is just text.
reader.inline.ruler.push("mention", (state, silent) => {
  const { people } = state.env as Named;
  if (!people || state.src[state.pos] !== "@" || WITHIN.test(state.src[state.pos - 1] ?? " ")) return false;
  MENTION.lastIndex = state.pos;
  const written = MENTION.exec(state.src)?.[1];
  if (!written) return false;
  const bare = written.replace(/[._-]+$/, "");
  const username = [written, bare].find((name) => people.has(name.toLowerCase()));
  if (!username) return false;
  if (!silent) {
    const token = state.push("mention", "span", 0);
    token.content = people.get(username.toLowerCase()) ?? username;
    token.meta = { username };
  }
  state.pos += 1 + username.length;
  return true;
});
reader.renderer.rules.mention = (tokens, at) =>
  `<span data-mention="${escape(String(tokens[at]?.meta?.username))}">@${escape(tokens[at]?.content ?? "")}</span>`;

// No picture is ever loaded from elsewhere: one of the ticket's files gets its place, any other stays the text it is.
reader.renderer.rules.image = (tokens, at, _, env) => {
  const token = tokens[at];
  const source = String(token?.attrGet("src") ?? "");
  const id = (env as Named | undefined)?.pictures ? PICTURE.exec(source)?.[1] : undefined;
  const words = escape(token?.content ?? "");
  return id ? `<span data-attachment="${id}">${words}</span>` : `![${words}](${escape(source)})`;
};

/** Markdown as sanitised elements: no HTML of the writer's, links open apart and tell nobody where they come from. */
export function toFragment(source: string, named: Named = {}): DocumentFragment {
  const fragment = DOMPurify.sanitize(reader.render(source, { ...named }), {
    RETURN_DOM_FRAGMENT: true,
    FORBID_TAGS: ["img", "style", "form", "input"],
    FORBID_ATTR: ["style", "class", "id"],
  });
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
  }
  return fragment;
}
