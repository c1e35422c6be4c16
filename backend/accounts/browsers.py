"""What a browser says of itself, in words people know their devices by."""

# The first that fits: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari.
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "安卓"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def describe_browser(user_agent: str) -> str:
    """Return the system and the browser of a user agent, such as Windows 上的 Edge."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "浏览器")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "其他设备")
    return f"{system} 上的 {browser}"
