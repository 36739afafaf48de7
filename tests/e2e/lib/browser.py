"""A real browser without a window, spoken to through its debugging pipe: JSON messages, each with a NUL at its end."""
import fcntl
import json
import os
import shutil
import subprocess
import tempfile

import shop

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe")


class Browser:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        hers, ours = os.pipe(), os.pipe()
        # it reads at 3 and writes at 4: out of the way of both first
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (hers[0], ours[1])]

        def place():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(  # pylint: disable=subprocess-popen-preexec-fn
            [PROGRAM, *OPTIONS, f"--user-data-dir={self.folder.name}"], close_fds=False, preexec_fn=place,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in (*ends, hers[0], ours[1]):
            os.close(fd)
        self.to, self.back = os.fdopen(hers[1], "wb", buffering=0), os.fdopen(ours[0], "rb")
        self.asked, self.rest, self.pages = 0, b"", []

    def ask(self, method, session=None, **params):
        self.asked += 1
        message = {"id": self.asked, "method": method, "params": params}
        self.to.write(json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while True:
            answer = json.loads(self.read())
            if answer.get("id") == self.asked:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def read(self):
        while b"\0" not in self.rest:
            more = self.back.read1()
            assert more, "the browser has gone"
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return message

    def close_pages(self):
        while self.pages:
            self.ask("Target.closeTarget", targetId=self.pages.pop().target)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


class Page:
    """A tab. 'before' is a script that runs before those of each page."""

    def __init__(self, browser, path, before=""):
        self.browser = browser
        self.target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        browser.pages.append(self)
        self.session = browser.ask("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Page.addScriptToEvaluateOnNewDocument", source=before)
        self.open(path)

    def ask(self, method, **params):
        return self.browser.ask(method, self.session, **params)

    def open(self, path):
        self.eval("window.isOld = true")
        self.ask("Page.navigate", url=shop.URL + path)
        self.until("document.readyState === 'complete' && !window.isOld")

    def back(self, path):
        """To the page before, as the browser may have kept it."""
        history = self.ask("Page.getNavigationHistory")
        self.ask("Page.navigateToHistoryEntry", entryId=history["entries"][history["currentIndex"] - 1]["id"])
        self.until(f"location.pathname === {json.dumps(path)} && document.readyState === 'complete'")

    def eval(self, script):
        """What an expression, or the promise that it makes, comes to."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
                          userGesture=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def holds(self, script):
        try:
            return self.eval(f"!!({script})")
        except AssertionError:
            return False  # there is no page between two

    def until(self, script):
        try:
            shop.within(shop.PATIENCE_S, self.holds, script)
        except AssertionError as error:
            text = self.eval("document.body.innerText")
            raise AssertionError(f"never so: {script}; the page says:\n{text}") from error

    def click(self, selector):
        self.eval(f"document.querySelector({json.dumps(selector)}).click()")

    def text(self, selector):
        return self.eval(f"document.querySelector({json.dumps(selector)}).textContent")

    def is_seen(self, selector):
        return self.eval(f"document.querySelector({json.dumps(selector)}).checkVisibility()")
