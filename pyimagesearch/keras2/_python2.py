"""Tell a script for Python 2 from one that is merely wrong."""

import re

_SIGNS = (  # of a line at which Python 3 stops
    (r"^\s*print\b(?!\s*\()", "a print statement"),
    (r"^\s*except\b[^:()]*,", "`except Error, name:`"),
    (r"^\s*raise\s+\w[\w.]*\s*,", '`raise Error, "message"`'),
    (r"^\s*exec\b(?!\s*\()", "an exec statement"),
    (r"`", "backticks for repr"),
    (r"<>", "the operator <>"),
    (r"\b[uU][rR]['\"]", 'a string ur"..."'),
    (r"\b0[0-7]+\b", "an octal number such as 0755"),
    (r"\b\d+[lL]\b", "a number such as 10L"),
    (r"\blambda\s*\(", "a lambda that unpacks its argument"),
)
MODULES = {
    "cPickle": "pickle",
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
    "ConfigParser": "configparser",
    "Queue": "queue",
    "StringIO": "io",
    "cStringIO": "io",
    "HTMLParser": "html.parser",
    "Tkinter": "tkinter",
    "commands": "subprocess",
}
NAMES = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "unichr": "chr",
    "file": "open",
}
METHODS = {"iteritems": "items", "itervalues": "values", "iterkeys": "keys", "has_key": "in"}


def sign_in_syntax(error):
    """Return what of Python 2 a SyntaxError came from, or None."""
    if isinstance(error, TabError):
        return "tabs mixed with spaces"
    line = error.text or ""
    if "Missing parentheses in call to 'print'" in error.msg:
        return _SIGNS[0][1]
    for pattern, name in _SIGNS:
        if re.search(pattern, line):
            return name
    return None


def hint(error):
    """Return a sentence about a name that Python 2 had, or None."""
    name = getattr(error, "name", None)
    if isinstance(error, ModuleNotFoundError):
        new = MODULES.get(name)
    elif isinstance(error, NameError):
        new = NAMES.get(name)
    elif isinstance(error, AttributeError):
        new = METHODS.get(name)
    else:
        return None
    return new and f"{name} is Python 2; Python 3 says {new}."
