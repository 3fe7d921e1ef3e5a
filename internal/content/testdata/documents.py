"""Writes documents with the libraries of Debian and prints, one JSON object a line, what other
programs read in them: {"name": FILE, "by": PROGRAM, "text": TEXT}.

Words are cut into runs, spans and fonts at random places, as the real programs do. Three programs
are asked only where they know what is there: docx2txt shows deleted words in the middle of others
and joins words at tabs and page breaks, in tables and where a run is one blank, odt2txt joins them at
tabs, behind headings and where a blank is an element, unrtf loses letters behind a \\u."""

import html
import json
import os
import random
import re
import subprocess
import sys

import docx
import openpyxl
import vobject
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from odf import dc, draw, office, style, table, teletype, text
from odf.opendocument import (OpenDocumentPresentation, OpenDocumentSpreadsheet,
                              OpenDocumentText, load)
from openpyxl.comments import Comment

directory, seed = sys.argv[1], int(sys.argv[2])
rnd = random.Random(seed)
every = True  # what no program but the maker knows may be there
letters = "abcdefghijklmnopqrstuvwxyzäöüßéñøжшяδλ東京"


def word():
    return "".join(rnd.choice(letters) for _ in range(rnd.randint(3, 9)))


def sentence():
    return " ".join(word() for _ in range(rnd.randint(4, 9)))


def pieces(line):
    while line:
        n = rnd.randint(1, 12)
        while not every and " " in line[n - 1:n + 1]:
            n += 1
        yield line[:n]
        line = line[n:]


def say(name, by, text):
    print(json.dumps({"name": name, "by": by, "text": text}))


def run(name, *command):
    out = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    say(name, command[0], out.stdout.decode("utf-8", "replace"))


def path(name):
    return os.path.join(directory, name)


def element(tag, text=None, **attributes):
    e = OxmlElement(tag)
    for key, value in attributes.items():
        e.set(qn("w:" + key), value)
    if text is not None:
        e.text = text
        e.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return e


def fill(paragraph):
    for piece in pieces(sentence()):
        r = paragraph.add_run(piece)
        r.bold, r.italic = rnd.random() < 0.3, rnd.random() < 0.3
        if rnd.random() < 0.2:
            paragraph._p.append(element("w:bookmarkStart", id="1", name="x"))
        if every and rnd.random() < 0.1:
            deleted = element("w:del", id="2", author="x")
            inner = element("w:r")
            inner.append(element("w:delText", word()))
            deleted.append(inner)
            paragraph._p.append(deleted)


def write_docx(name):
    d = docx.Document()
    d.core_properties.title = sentence()
    d.add_heading(sentence())
    for _ in range(10):
        p = d.add_paragraph(style=rnd.choice(["Normal", "List Bullet", "Quote"]))
        fill(p)
        if rnd.random() < 0.3:
            p.add_run().add_break(rnd.choice([WD_BREAK.LINE, WD_BREAK.PAGE] if every else [WD_BREAK.LINE]))
            fill(p)
        if every and rnd.random() < 0.3:
            p.add_run("\t")
            fill(p)
    t = d.add_table(rows=3 if every else 0, cols=3)
    for row in t.rows:
        for cell in row.cells:
            fill(cell.paragraphs[0])
    fill(d.sections[0].header.paragraphs[0])
    fill(d.sections[0].footer.paragraphs[0])
    d.save(path(name))
    again = docx.Document(path(name))
    lines = [p.text for p in again.paragraphs]
    lines += [c.text for t in again.tables for r in t.rows for c in r.cells]
    lines += [p.text for s in again.sections for part in (s.header, s.footer) for p in part.paragraphs]
    say(name, "python-docx", "\n".join(lines + [again.core_properties.title]))
    if not every:
        run(name, "docx2txt", path(name), "-")


def write_xlsx(name):
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet(sentence()[:25])):
        for row in range(1, 12):
            for column in range(1, 4):
                cell = sheet.cell(row, column, rnd.choice([sentence(), sentence(), rnd.random(), "a\nb " + sentence()]))
                if rnd.random() < 0.2:
                    cell.comment = Comment(sentence(), "author")
        sheet.oddHeader.center.text = sentence()
        sheet.row_dimensions[3].hidden = True
    book.active.sheet_state = "visible"
    book.create_sheet("hidden").sheet_state = "hidden"
    book["hidden"]["A1"] = sentence()
    book.save(path(name))
    again = openpyxl.load_workbook(path(name))
    lines = []
    for sheet in again:
        lines += [sheet.title, sheet.oddHeader.center.text or ""]
        for row in sheet.iter_rows():
            for cell in row:
                lines += [cell.value if isinstance(cell.value, str) else "", cell.comment.text if cell.comment else ""]
    say(name, "openpyxl", "\n".join(lines))


def odf_line(parent, bold):
    for piece in pieces(sentence()):
        if rnd.random() < 0.5:
            parent.addElement(text.Span(stylename=bold, text=piece.strip(" ") or "x"))
        else:
            teletype.addTextToElement(parent, piece)
        if every and rnd.random() < 0.1:
            parent.addElement(rnd.choice([text.Tab, text.LineBreak, text.SoftPageBreak])())
        if rnd.random() < 0.05:
            parent.addElement(text.Bookmark(name="x"))


def odf_text(name):
    d = OpenDocumentText()
    bold = style.Style(name="B", family="text")
    bold.addElement(style.TextProperties(fontweight="bold"))
    d.automaticstyles.addElement(bold)
    d.meta.addElement(dc.Title(text=sentence()))
    for _ in range(10):
        p = rnd.choice([text.P, text.P, lambda: text.H(outlinelevel=1)])() if every else text.P()
        odf_line(p, bold)
        d.text.addElement(p)
    entries = text.List()
    for _ in range(3):
        item = text.ListItem()
        item.addElement(text.P(text=sentence()))
        entries.addElement(item)
    d.text.addElement(entries)
    d.save(path(name))
    return d


def odf_sheet(name):
    d = OpenDocumentSpreadsheet()
    t = table.Table(name=sentence())
    for _ in range(5):
        row = table.TableRow()
        for _ in range(3):
            cell = table.TableCell()
            cell.addElement(text.P(text=sentence()))
            row.addElement(cell)
        t.addElement(row)
    d.spreadsheet.addElement(t)
    d.save(path(name))


def odf_slides(name):
    d = OpenDocumentPresentation()
    layout = style.PageLayout(name="L")
    d.automaticstyles.addElement(layout)
    master = style.MasterPage(name="M", pagelayoutname=layout)
    d.masterstyles.addElement(master)
    for _ in range(3):
        page = draw.Page(masterpagename=master)
        frame = draw.Frame(width="10cm", height="5cm")
        box = draw.TextBox()
        for _ in range(3):
            box.addElement(text.P(text=sentence()))
        frame.addElement(box)
        page.addElement(frame)
        d.presentation.addElement(page)
    d.save(path(name))


def read_odf(name):
    again = load(path(name))
    lines = [teletype.extractText(p) for kind in (text.P, text.H) for p in again.getElementsByType(kind)]
    say(name, "odfpy", "\n".join(lines))
    if not every:
        run(name, "odt2txt", "--width=-1", "--encoding=UTF-8", path(name))


def rtf_text(line):
    out = []
    for piece in pieces(line):
        bold = rnd.random() < 0.3
        octets = "".join(rtf_character(c) for c in piece)
        out.append(r"{\b " + octets + "}" if bold else octets)
    return "".join(out)


def rtf_character(c):
    if ord(c) < 128:
        return c
    if c in "äöüßéñø" and (not every or rnd.random() < 0.5):
        return r"\'%02x" % c.encode("cp1252")[0]
    if c in "жшя" and (not every or rnd.random() < 0.5):
        return r"{\f1\'%02x}" % c.encode("cp1251")[0]
    return r"\u%d?" % ord(c) if every else "x"


def write_rtf(name):
    lines = [sentence() for _ in range(10)]
    body = "".join(r"\pard\plain\f0 " + rtf_text(line) + rnd.choice([r"\par", r"\line ", r"\tab "]) + "\n" for line in lines)
    fonts = r"{\fonttbl{\f0\fnil\fcharset0 Arial;}{\f1\fnil\fcharset204 Arial Cyr;}}"
    with open(path(name), "w") as f:
        f.write(r"{\rtf1\ansi\ansicpg1252\deff0" + fonts + "\n" + body + r"\par}")
    if every:
        say(name, "its maker", "\n".join(lines))
        return
    page = subprocess.run(["unrtf", "--html", path(name)], capture_output=True).stdout.decode("utf-8", "replace")
    page = re.sub(r"(?s).*?<body>|<!--.*?-->", "", page)
    say(name, "unrtf", html.unescape(re.sub(r"<[^>]*>", "", page.replace("<br>", "\n"))))


def write_card(name):
    cards = []
    for version in ("2.1", "3.0"):
        card = vobject.vCard()
        card.add("fn").value = sentence()
        card.add("n").value = vobject.vcard.Name(family=word(), given=word())
        card.add("note").value = "a, b; c\n" + " ".join(sentence() for _ in range(5))
        cards.append(card.serialize())
        if version == "2.1":
            lines = ["BEGIN:VCARD", "VERSION:2.1", "FN;CHARSET=UTF-8:" + sentence(),
                     "N:x", "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:" + quoted(sentence() + " " + sentence()), "END:VCARD", ""]
            cards[-1] = "\r\n".join(lines)
    with open(path(name), "w", newline="") as f:
        f.write("".join(cards))
    lines = []
    with open(path(name), newline="") as f:
        for card in vobject.readComponents(f.read(), allowQP=True):
            lines += [card.fn.value, card.note.value]
    say(name, "vobject", "\n".join(lines))


def quoted(line):
    octets = "".join("=%02X" % c for c in line.encode())
    cut = []
    while octets:
        cut.append(octets[:72])
        octets = octets[72:]
    return "=\r\n".join(cut)


def write_event(name):
    calendar = vobject.iCalendar()
    for _ in range(3):
        event = calendar.add("vevent")
        event.add("summary").value = sentence()
        event.add("description").value = "\n".join(sentence() for _ in range(5)) + ", and; more"
        event.add("uid").value = word()
    with open(path(name), "w", newline="") as f:
        f.write(calendar.serialize())
    with open(path(name), newline="") as f:
        again = vobject.readOne(f.read())
    say(name, "vobject", "\n".join(e.summary.value + "\n" + e.description.value for e in again.vevent_list))


for i in range(int(sys.argv[3])):
    every = i % 2 == 0
    write_docx("%d.docx" % i)
    write_xlsx("%d.xlsx" % i)
    odf_text("%d.odt" % i)
    odf_sheet("%d.ods" % i)
    odf_slides("%d.odp" % i)
    for extension in ("odt", "ods", "odp"):
        read_odf("%d.%s" % (i, extension))
    write_rtf("%d.rtf" % i)
    write_card("%d.vcf" % i)
    write_event("%d.ics" % i)
