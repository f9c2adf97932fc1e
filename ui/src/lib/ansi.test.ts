import { expect, test } from "vitest";
import { parts, plain } from "./ansi";

test("colours become our tokens", () => {
    expect(parts("a \u001b[31mred\u001b[0m \u001b[1;32mgreen\u001b[39m b")).toEqual([
        { text: "a ", tone: "plain" },
        { text: "red", tone: "stop" },
        { text: " ", tone: "plain" },
        { text: "green", tone: "ok" },
        { text: " b", tone: "plain" },
    ]);
    expect(parts("\u001b[38;5;9mx\u001b[38;2;1;2;3my\u001b[93mz").map((part) => part.tone)).toEqual([
        "stop",
        "plain",
        "attention",
    ]);
    expect(parts("\u001b[38;5;200;31mx")).toEqual([{ text: "x", tone: "stop" }]);
});

test("what a terminal would act on goes or is seen", () => {
    expect(plain("\u001b[2J\u001b[Habc\u001b]0;title\u0007d\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\")).toBe(
        "abcdlink",
    );
    expect(plain("a\u202eb\u200bc\u0000d\u009be\u007f")).toBe("a<U+202E>b<U+200B>c␀d<U+009B>e␡");
    expect(plain("\udb40\udc41x")).toBe("<U+E0041>x");
    expect(plain("\u001b")).toBe("");
    expect(plain("10 %\r50 %\r100 %")).toBe("100 %");
    expect(plain("whole line\r")).toBe("whole line");
    expect(plain("tab\there")).toBe("tab\there");
});

test("markup is text", () => {
    const line = "<img src=x onerror=alert(1)><script>alert(2)</script>&amp;";
    expect(parts(line)).toEqual([{ text: line, tone: "plain" }]);
});

test("a long line takes no time", () => {
    const began = performance.now();
    parts("\u001b[31mx\u001b]".repeat(5_000));
    parts("\u001b]".padEnd(60_000, "x"));
    expect(performance.now() - began).toBeLessThan(1000);
});
