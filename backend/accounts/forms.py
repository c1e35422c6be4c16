"""What people submit to this domain."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from backend.accounts.addresses import LONGEST_ADDRESS, normal_address
from backend.accounts.passwords import LONGEST_PASSWORD, find_weakness
from backend.accounts.repository import AccountState
from backend.accounts.tables import OrganisationKind, Role
from backend.web.forms import Blank, Block, Line, refused_character


def _filled(value: str) -> str:
    """Refuse an empty text with the sentence for what is missing."""
    if not value:
        raise PydanticCustomError("missing", "missing")
    return value


def _plain_password(value: str) -> str:
    """Refuse characters that no text may hold; a password is never trimmed."""
    refused = refused_character(value)
    if refused:
        raise ValueError(f"密码含有不能使用的{refused}。请换一个密码。")
    return value


def _without_separators(value: str) -> str:
    """Turn line and paragraph separators into blanks: a name stands in the header of a mail."""
    return value.replace("\u2028", " ").replace("\u2029", " ").strip()


Filled = AfterValidator(_filled)
FilledLine = Annotated[Line, AfterValidator(_without_separators), Filled]
FilledBlock = Annotated[Block, Filled]
EmailAddress = Annotated[Line, Filled, AfterValidator(normal_address)]
# What is typed to be compared is taken as it is: a long or odd one is simply wrong.
TypedPassword = Annotated[str, Filled, BeforeValidator(lambda value: value[: 4 * LONGEST_PASSWORD])]
NewPassword = Annotated[str, Filled, AfterValidator(_plain_password)]


class LoginForm(BaseModel):
    """Signing in."""

    email: EmailAddress = Field(title="邮箱", max_length=LONGEST_ADDRESS)
    password: TypedPassword = Field(title="密码")


class AddressForm(BaseModel):
    """Asking for a mail."""

    email: EmailAddress = Field(title="邮箱", max_length=LONGEST_ADDRESS)


class RegisterForm(BaseModel):
    """Becoming a member."""

    email: EmailAddress = Field(title="邮箱", max_length=LONGEST_ADDRESS)
    password: NewPassword = Field(title="密码")
    display_name: FilledLine = Field(title="姓名", max_length=60)
    organisation: FilledLine = Field(title="机构名称", max_length=120)
    organisation_kind: Annotated[OrganisationKind | None, Blank] = Field(default=None, title="机构类型")
    organisation_region: str = Field(default="", title="所在地区", max_length=6)
    consent: str = Field(default="")

    @field_validator("password")
    @classmethod
    def _strong(cls, value: str, info: ValidationInfo) -> str:
        return _strong_enough(value, str(info.data.get("email", "")))

    @field_validator("consent")
    @classmethod
    def _agreed(cls, value: str) -> str:
        if not value:
            raise ValueError("请阅读隐私说明并勾选同意；不同意就不能建立账号。")
        return value


class NewPasswordForm(BaseModel):
    """Setting a password by way of a mailed link; `address` is not typed but known."""

    address: str = ""
    password: NewPassword = Field(title="新密码")

    @field_validator("password")
    @classmethod
    def _strong(cls, value: str, info: ValidationInfo) -> str:
        return _strong_enough(value, str(info.data.get("address", "")))


class ChangePasswordForm(NewPasswordForm):
    """Changing the password while signed in."""

    current: TypedPassword = Field(title="现在的密码")


def _strong_enough(password: str, address: str) -> str:
    weakness = find_weakness(password, address=address)
    if weakness:
        raise ValueError(weakness)
    return password


class NameForm(BaseModel):
    """Changing the name that others see."""

    display_name: FilledLine = Field(title="姓名", max_length=60)


class TokenForm(BaseModel):
    """Creating a bearer token."""

    name: FilledLine = Field(title="用途", max_length=60)


class RoleForm(BaseModel):
    """Giving an account another role."""

    role: Role = Field(title="角色")


class SuspensionForm(BaseModel):
    """Suspending an account."""

    reason: FilledBlock = Field(title="停用原因", max_length=400)


class AccountSearchForm(BaseModel):
    """What an administrator looks for among accounts."""

    q: Line = Field(default="", title="搜索词", max_length=100)
    role: Annotated[Role | None, Blank] = Field(default=None, title="角色")
    state: Annotated[AccountState | None, Blank] = Field(default=None, title="状态")


class TrailSearchForm(BaseModel):
    """What an auditor looks for in the trail."""

    who: Line = Field(default="", title="操作人", max_length=100)
    action: Line = Field(default="", title="操作", max_length=60)
    result: Line = Field(default="", title="结果", max_length=20)
    since: Annotated[date | None, Blank] = Field(default=None, title="开始日期")
    until: Annotated[date | None, Blank] = Field(default=None, title="结束日期")
