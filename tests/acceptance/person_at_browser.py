"""What a person does in the browser that a program opened: signs in, and is sent back. person_at_browser.py URL"""

import pathlib
import sys
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from server import EMAIL, PASSWORD, sign_in  # noqa: E402

url = sys.argv[1]
redirect = urllib.parse.parse_qs(urllib.parse.urlparse(url).query)["redirect_uri"][0]
urllib.request.urlopen(sign_in(url, redirect, EMAIL, PASSWORD), timeout=10).read()
