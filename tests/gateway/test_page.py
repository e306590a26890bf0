"""The page of a person: what it shows, what it takes, and that it can be used by everybody."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from aline_tf.migraine.records.fhir_export import observations
from tests.gateway.test_readings import bundle


class Page(HTMLParser):
    """What tests look for in a page: forms with their fields, labels, headings, ids."""

    VOID = ("meta", "input", "br", "link")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def form(self, action):
        """Names and values of the fields of a form."""
        begin = next(
            i for i, (tag, a) in enumerate(self.elements) if tag == "form" and a["action"] == action
        )
        fields = {}
        for tag, attributes in self.elements[begin + 1 :]:
            if tag == "form":
                break
            if tag == "input":
                fields.setdefault(attributes["name"], attributes.get("value"))
        return fields


@pytest.fixture
def browser(gateway, life):
    """A browser in which a person with records has signed in."""
    with gateway.person() as person:
        person.post("/v1/readings", json=bundle(list(observations(life))))
        browser = httpx.Client(base_url=gateway.url, follow_redirects=True, timeout=60)
        signed = browser.post("/sign-in", data={"token": person.token})
        assert signed.status_code == 200
        browser.person = person
        yield browser
        browser.close()


def test_it_shows_the_risk_and_a_question_and_what_the_answer_moved(browser):
    page = Page(browser.get("/").text)
    risk = browser.person.get("/v1/risk").json()
    for each in risk["risks"]:
        assert f"{100 * each['probability']:.0f}%" in page.text
    question = browser.person.get("/v1/question").json()["question"]
    assert question["label"] in page.text
    form = page.form("/answer")
    value = "yes" if question["expected"] == "yes or no" else "3"
    answered = browser.post("/answer", data=form | {"value": value})
    assert answered.status_code == 200 and "what your answer moved" in answered.text
    now = browser.person.get("/v1/risk").json()
    assert now != risk
    assert browser.person.get("/v1/question").json()["question"]["label"] in answered.text


def test_a_question_may_be_refused_and_a_wrong_answer_is_said(browser):
    form = Page(browser.get("/").text).form("/answer")
    wrong = browser.post("/answer", data=form | {"value": "<b>lots</b>"})
    assert wrong.status_code == 422 and "<b>" not in wrong.text and "&lt;b&gt;" in wrong.text
    no_question = browser.post("/answer", data=form | {"days_ago": "x"})
    assert no_question.status_code == 422 and "to no question" in no_question.text
    refused = browser.post("/answer", data={**form, "value": "", "refused": "yes"})
    assert refused.status_code == 200
    answered = browser.person.get("/v1/me/export")
    assert answered.status_code == 200


def test_nothing_is_shown_without_a_token(gateway):
    with httpx.Client(base_url=gateway.url, follow_redirects=True) as stranger:
        assert "Sign in" in stranger.get("/").text
        wrong = stranger.post("/sign-in", data={"token": "aline_wrong"})
        assert wrong.status_code == 401 and not stranger.cookies
        assert stranger.get("/records.zip").status_code == 401
        for action in ("/answer", "/erase"):
            assert stranger.post(action, data={"sure": "ERASE"}).status_code == 401


def test_erasing_takes_a_word_and_is_the_end(browser):
    assert browser.post("/erase", data={"sure": "erase"}).status_code == 422
    assert browser.get("/records.zip").headers["content-type"] == "application/zip"
    assert "Everything was erased" in browser.post("/erase", data={"sure": "ERASE"}).text
    assert "Sign in" in browser.get("/").text
    assert browser.person.get("/v1/risk").status_code == 401


def test_signing_out_forgets_the_token(browser):
    assert "Sign in" in browser.post("/sign-out").text and not browser.cookies


def test_other_sites_get_nothing_done(browser):
    for action in ("/answer", "/erase", "/sign-out", "/sign-in"):
        headers = {"Origin": "https://elsewhere.example"}
        assert browser.post(action, data={"sure": "ERASE"}, headers=headers).status_code == 403
    large = browser.post("/answer", content=b"a=" + b"b" * 10_000)
    assert large.status_code == 413
    signed = httpx.post(
        f"{browser.base_url}/sign-in", data={"token": browser.person.token}, follow_redirects=False
    )
    cookie = signed.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie


def test_it_can_be_used_by_ear_and_by_keyboard(browser):
    """What a checker would look at: language, one main heading, a label for every field."""
    answer = browser.get("/")
    page = Page(answer.text)
    assert page.all("html")[0]["lang"] == "en" and len(page.all("h1")) == 1
    assert page.all("main") and page.all("title")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {label.get("for") for label in page.all("label")}
    for field in page.all("input"):
        if field.get("type") in ("text", "password"):
            assert field["id"] in labelled
    for section in page.all("section"):
        assert section["aria-labelledby"] in ids
    assert "width=device-width" in page.all("meta")[1]["content"]
    assert not page.all("script") and not re.search(r"\son\w+=", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and page.all("style")[0]["nonce"] in policy
    assert answer.headers["cache-control"] == "no-store"


def test_before_the_first_reading_it_says_so(gateway):
    with gateway.person() as person, httpx.Client(base_url=gateway.url) as browser:
        browser.cookies.set("aline_token", person.token)
        page = browser.get("/")
        assert page.status_code == 200 and "first readings" in page.text
