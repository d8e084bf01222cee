"""Checks a report's HTML without a browser:

    check_page.py FILE [CURVE=POINTS ...]

that it is well-formed, refers to nothing outside of itself, has a text for every picture, headings in
order and labelled tables; and that each CURVE has the given number of points.
"""
import re
import sys
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags, self.errors, self.texts = [], [], [], []

    def handle_decl(self, decl):
        self.tags.append(("!" + decl, {}))

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        self.check(len(names) == len(set(names)), f"<{tag}> has an attribute twice")
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):   # <path .../>
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        self.check(self.open and self.open[-1] == tag, f"</{tag}> within {self.open[-3:]}")
        if self.open:
            self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)
        if "svg" in self.open and self.open[-1] in ("title", "desc"):
            self.check(data.strip(), "an empty text for a picture")

    def check(self, right, message):
        if not right:
            self.errors.append(f"{message}, line {self.getpos()[0]}")


def check(page, html):
    all_of = lambda name: [attributes for tag, attributes in page.tags if tag == name]
    page.check(not page.open, f"never closed: {page.open}")
    page.check(page.tags[0][0].lower() == "!doctype html", "no doctype")
    page.check(all_of("html")[0].get("lang") == "en", "no language")
    for name in ("header", "nav", "main", "footer", "h1", "title"):
        many = len(all_of(name)) if name != "title" else 1
        page.check(many == 1, f"{many} times <{name}>")
    # Nothing from elsewhere.
    page.check(not re.search(r"https?:|\burl\(|@import|<script|\son[a-z]+=\"", html), "a reference or script")
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "data", "poster", "action"):
            value = attributes.get(name, "data:")
            page.check(value.startswith("data:image/png;base64,") or value.startswith("#") or value == "data:",
                       f"<{tag} {name}={value[:40]}>")
        page.check(not any(name.startswith("on") for name in attributes), f"<{tag}> with a script")
    # A text for each picture.
    for picture in all_of("img"):
        page.check(picture.get("alt", "").strip(), "a picture without a text")
        page.check(int(picture["width"]) > 0 and int(picture["height"]) > 0, "a picture without a size")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    page.check(len(ids) == len(set(ids)), "an id twice")
    for drawing in all_of("svg"):
        labelled = drawing.get("role") == "img" and drawing.get("aria-labelledby")
        page.check(labelled or drawing.get("aria-hidden") == "true", "a drawing without a text")
    for _, attributes in page.tags:
        wanted = attributes.get("aria-labelledby", "").split()
        if attributes.get("href", "").startswith("#"):
            wanted.append(attributes["href"][1:])
        page.check(set(wanted) <= set(ids), f"no such id: {wanted}")
    # Headings in order, labelled tables.
    level = 0
    for tag, _ in page.tags:
        if re.fullmatch("h[1-6]", tag):
            page.check(int(tag[1]) <= level + 1, f"<{tag}> after <h{level}>")
            level = int(tag[1])
    page.check(all(head.get("scope") in ("row", "col") for head in all_of("th")), "a <th> without scope")
    # Every number in a drawing is finite.
    for path in all_of("path"):
        page.check(re.fullmatch(r"[MmLHhvzaAl0-9 .\-]*", path["d"]), f"an odd path: {path['d'][:80]}")


def main():
    html = open(sys.argv[1], encoding="utf-8").read()
    page = Page()
    page.feed(html)
    page.close()
    check(page, html)
    curves = {}
    for tag, attributes in page.tags:
        if "data-curve" in attributes:
            curves[attributes["data-curve"]] = len(re.findall("[ML]", attributes["d"]))
    for wanted in sys.argv[2:]:
        name, points = wanted.rsplit("=", 1)
        page.check(curves.get(name) == int(points),
                   f"the curve '{name}' has {curves.get(name)} points, expected {points}")
    for error in page.errors:
        print(f"{sys.argv[1]}: {error}")
    sys.exit(bool(page.errors))


main()
# SPDX-License-Identifier: MIT
