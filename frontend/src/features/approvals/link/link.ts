/** What the page behind a link from a mail says: which words, and what can be done next. Pure. */
import type { DecisionLinkRead } from "@/api/generated";

export type Tone = "good" | "bad" | "calm" | "warning";

/** One state in words: keys of texts below `approvals.link`, with what they name. */
export interface Saying {
  icon: string;
  tone: Tone;
  title: string;
  /** What the texts name, such as `{name}`. */
  names: Record<string, string>;
  lines: string[];
  /** What can be pressed, the main one first. */
  ways: ("queue" | "home" | "signIn" | "leave" | "ticket")[];
}

const ICONS: Record<string, [string, Tone]> = {
  APPROVED: ["i-lucide-circle-check", "good"],
  REJECTED: ["i-lucide-circle-x", "bad"],
  INFO_REQUESTED: ["i-lucide-message-circle-question-mark", "warning"],
};

/** Whether something can be decided on the page now. */
export const canDecide = (link: DecisionLinkRead): boolean => link.state === "OPEN" || link.state === "STALE";

/**
 * The words for every state but the open ones. `isNow`: it was decided on this page a moment ago; `me` is who is signed
 * in, `when` says an instant, `list` joins names.
 */
export function saying(
  link: DecisionLinkRead,
  isNow: boolean,
  me: string,
  when: (at: string) => string,
  list: (names: string[]) => string,
): Saying {
  const enter: Saying["ways"] = link.is_signed_in ? ["queue"] : ["signIn"];
  const names = { name: link.person?.name ?? "–", me };
  switch (link.state) {
    case "WRONG_PERSON":
      return {
        icon: "i-lucide-user-round-x",
        tone: "warning",
        title: "wrong.title",
        names,
        lines: ["wrong.text", "wrong.forward"],
        ways: ["home", "leave"],
      };
    case "SIGN_IN":
      return {
        icon: link.sign_in === "CONFIDENTIAL" ? "i-lucide-lock" : "i-lucide-log-in",
        tone: "calm",
        title: "sign.title",
        names,
        lines: [`sign.${link.sign_in ?? "POLICY"}`, "signText"],
        ways: ["signIn"],
      };
    case "EXPIRED":
      return {
        icon: "i-lucide-hourglass",
        tone: "calm",
        title: "expired.title",
        names,
        lines: ["expired.text"],
        ways: enter,
      };
    case "CLOSED": {
      const why = link.closed ?? "ENDED";
      const waits = why === "HANDED_ON" && link.waiting_for.length > 0;
      return {
        icon: "i-lucide-circle-slash",
        tone: "calm",
        title: `closed.${why}.title`,
        names: { ...names, names: list(link.waiting_for.map((p) => p.name)) },
        lines: [`closed.${why}.text`, ...(waits ? ["next.waits"] : [])],
        ways: why === "NOT_ABLE" ? [] : enter,
      };
    }
    default:
      return decided(link, isNow, names, when, list);
  }
}

function decided(
  link: DecisionLinkRead,
  isNow: boolean,
  names: Record<string, string>,
  when: (at: string) => string,
  list: (names: string[]) => string,
): Saying {
  const { decision, workflow_status: status } = link;
  const ways: Saying["ways"] = link.is_signed_in ? ["queue", "ticket"] : ["home"];
  if (!decision) {
    // Of a confidential request nothing is told to who is not signed in.
    return {
      icon: "i-lucide-circle-check",
      tone: "calm",
      title: "closed.title",
      names,
      lines: [],
      ways: ["signIn"],
    };
  }
  const [icon, tone] = ICONS[decision.status] ?? ["i-lucide-circle-check", "calm" as const];
  const isMine = decision.by?.id === link.person?.id;
  const lines: string[] = [];
  if (!isNow && decision.at) lines.push(link.state === "USED" ? "is.at" : "is.elsewhere");
  if (decision.on_behalf_of) lines.push("is.behalf");
  if (decision.is_override) lines.push("is.override");
  const waiting = link.waiting_for.map((p) => p.name);
  if (isNow && decision.status === "INFO_REQUESTED") lines.push("next.INFO_REQUESTED");
  else if (status === "RUNNING") lines.push(waiting.length ? "next.waits" : "next.RUNNING");
  else if (status) lines.push(`next.${status}`);
  return {
    icon,
    tone,
    title: isNow ? `is.now.${decision.status}` : `is.${isMine ? "mine" : "theirs"}.${decision.status}`,
    names: {
      ...names,
      name: decision.by?.name ?? "–",
      other: decision.on_behalf_of?.name ?? "–",
      when: decision.at ? when(decision.at) : "",
      names: list(waiting),
    },
    lines,
    ways,
  };
}
