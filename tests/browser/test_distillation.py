"""The temperature slider in a browser: it moves the point, the numbers and the teacher's bars."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from workbench.panels.distillation import START
from workbench.zoo import model
from workbench.zoo.students import Student

pytestmark = pytest.mark.browser

TEMPERATURE = "distillation: temperature"


def student(temperature, labels=START.labels, network=START.network):
    return Student(network, START.teacher, temperature, labels)


def bars(page):
    """The heights of the teacher's bars, as shares of the largest height."""
    return page.locator(".bars span").evaluate_all(
        """(nodes) => nodes.map((node) => Number(node.style.getPropertyValue("--share")))"""
    )


def percent(value):
    return f"{100 * value:.1f}\u202f%"


def test_the_temperature_moves_text_point_and_bars(show, shown):
    bench = show()
    bench.settle()
    original = model("fashion/lenet5").card["file_bytes"]
    cold = bars(shown)
    bench.choose(TEMPERATURE, 4)
    known = student(4.0)
    expect(bench.number("accuracy")).to_have_text(percent(known.card.value))
    expect(bench.number("times")).to_contain_text("smaller")
    assert max(bars(shown)) < max(cold)
    assert sum(bars(shown)) == pytest.approx(1)
    expect(shown.locator(".caption")).to_have_text(re.compile(r"^teacher at T = 4: \w+"))
    expect(shown.locator(".comparison").first).to_contain_text(percent(known.alone.card.value))
    bench.settle()
    assert bench.trace("original")["x"] == [original]
    size = int(re.sub(r"\D", "", bench.number("bytes").inner_text()))
    assert bench.point["bytes"] == size
    expect(shown).to_have_url(re.compile(rf"m={known.name}.*origin=fashion/lenet5"))
    selector = shown.get_by_label("model", exact=True)
    expect(selector).to_have_value(known.name)
    assert selector.evaluate("x => x.selectedOptions[0].text") == known.short_title
    selector.select_option("fashion/lenet5")
    expect(selector.locator("> option")).to_have_count(0)
    expect(shown).not_to_have_url(re.compile("origin"))


def test_one_drag_moves_the_temperature_from_off_to_the_end(show, shown):
    """A drag that changes what the column shows goes on: no sliders are rebuilt."""
    bench = show()
    bench.settle()
    box = shown.get_by_role("slider", name=TEMPERATURE).bounding_box()
    across = box["x"] + 12, box["x"] + box["width"] - 12
    down = box["y"] + box["height"] / 2
    shown.mouse.move(across[0], down)
    shown.mouse.down()
    shown.mouse.move(across[0] + (across[1] - across[0]) / 5, down, steps=4)
    expect(bench.number("accuracy")).to_have_text(percent(student(1.0).card.value))
    shown.mouse.move(across[1], down, steps=8)
    shown.mouse.up()
    expect(bench.number("accuracy")).to_have_text(percent(student(16.0).card.value))


def test_a_choice_selects_a_student_and_undo_the_model(show, shown):
    bench = show("?m=fashion/lenet-300-100")
    bench.settle()
    shown.get_by_label("distillation: labels").select_option("0.05")
    expect(bench.number("accuracy")).to_have_text(percent(student(4.0, 0.05).card.value))
    expect(bench.slider(TEMPERATURE)).to_have_attribute("aria-valuetext", "4")
    expect(shown.locator(".comparison").first).to_contain_text("1,000 labels alone")
    shown.wait_for_timeout(500)  # two changes in quick succession are one step
    shown.get_by_label("distillation: student").select_option("fashion/mlp-32")
    mlp = student(4.0, 0.05, "fashion/mlp-32")
    expect(bench.number("accuracy")).to_have_text(percent(mlp.card.value))
    for _ in range(2):
        shown.get_by_role("button", name="undo").click()
    expect(bench.slider(TEMPERATURE)).to_have_attribute("aria-valuetext", "off")
    bench.settle()
    size = model("fashion/lenet-300-100").card["file_bytes"]
    expect(bench.number("bytes")).to_have_text(f"{size:,} bytes".replace(" ", "\u202f"))


def test_a_temperature_without_a_teacher_says_which_one_it_selects(show, shown):
    bench = show("?m=fashion/lenet5")
    teacher, group = shown.get_by_label("distillation: teacher"), shown.locator(".distillation")
    bench.choose(TEMPERATURE, 8)
    teacher.select_option(label="none")
    expect(bench.slider(TEMPERATURE)).to_have_attribute("aria-valuetext", "1")
    expect(group).to_contain_text("No teacher: moving the temperature selects ResNet.")
    expect(group.locator(".bars")).to_be_hidden()
    shown.wait_for_timeout(500)  # two changes in quick succession are one step
    bench.choose(TEMPERATURE, 4)
    expect(group).to_contain_text("A temperature needs a teacher: ResNet is selected.")
    expect(teacher).to_have_value("fashion/resnet")
    expect(bench.number("accuracy")).to_have_text(percent(student(4.0).card.value))
    shown.get_by_role("button", name="undo").click()
    expect(teacher).to_have_value("")
    expect(group).not_to_contain_text("is selected.")


def test_pruning_and_bits_compress_the_student(show, shown):
    bench = show(f"?m={student(2.0).name}&origin=fashion/lenet5&level=everything")
    bench.settle()
    whole = int(re.sub(r"\D", "", bench.number("bytes").inner_text()))
    bench.sparsity.fill("0.5")
    bench.bits(4)
    bench.settle()
    assert int(re.sub(r"\D", "", bench.number("bytes").inner_text())) < whole / 4
    shown.locator("summary", has_text="layer by layer").click()
    rows = shown.locator(".layer-table li b").all_inner_texts()
    assert rows == list(model("fashion/cnn-10k").layers)
    bench.choose(TEMPERATURE, "off")
    expect(shown.locator(".layer-table li b")).to_have_text(list(model("fashion/lenet5").layers))
    expect(bench.sparsity).to_have_value("0.5")


def test_the_next_example_has_other_bars(show, shown):
    show("?m=fashion/lenet-300-100")
    first, name = bars(shown), shown.locator(".teacher canvas").get_attribute("aria-label")
    shown.get_by_role("button", name="next example").click()
    assert bars(shown) != first
    assert shown.locator(".teacher canvas").get_attribute("aria-label") != name
    ink = """(canvas) => canvas.getContext("2d").getImageData(0, 0, 28, 28).data.some((v) => v)"""
    assert shown.locator(".teacher canvas").evaluate(ink)
