"""The pages as the web process takes them: controllers, static files, errors, headers."""

from importlib.util import find_spec
from pathlib import Path

from litestar import Controller, Router
from litestar.datastructures import CacheControlHeader
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from directory.controllers.authentication import public
from web import pages
from web.controllers.access import AccessPageController, JoinPageController
from web.controllers.administration import ApiPageController, StuckController
from web.controllers.answers import CodeController, LinkController
from web.controllers.checking import CheckPageController
from web.controllers.coverage import CoveragePageController
from web.controllers.deadlines import DeadlineController
from web.controllers.dispatch import ControlController, DispatchController, PickerController
from web.controllers.documents import DocumentController, DownloadController
from web.controllers.evidence import EvidencePageController
from web.controllers.inbox import InboxController, NoticeController
from web.controllers.messages import MessagePageController
from web.controllers.organizations import OrganizationPageController
from web.controllers.pictures import (
    PictureController,
    ReviewPageController,
    UseSearchPageController,
)
from web.controllers.privacy import PrivacyPageController
from web.controllers.publications import PublicationPageController
from web.controllers.readers import ReaderPageController
from web.controllers.record_acts import ActPageController
from web.controllers.records import InventoryPageController, RecordsPageController
from web.controllers.session import AccountController, LogInController
from web.controllers.signing import SigningPageController
from web.controllers.trust import StatePageController, TrustPageController
from web.errors import error_page, wants_page
from web.headers import security_headers

__all__ = ["TEMPLATE_CONFIG", "WEB_CONTROLLERS", "error_page", "security_headers", "wants_page"]


def _swagger() -> Path:
    """Swagger UI's files inside the package that ships them."""
    found = find_spec("flask_openapi3_swagger")
    if found is None or found.origin is None:
        raise RuntimeError("the package flask-openapi3-swagger is not installed")
    return Path(found.origin).parent / "templates" / "swagger"


def _static(path: str, folder: Path) -> Router:
    return create_static_files_router(
        path=path, directories=[folder], guards=[public], include_in_schema=False,
        cache_control=CacheControlHeader(max_age=86400, public=True),
    )  # fmt: skip


WEB_CONTROLLERS: list[type[Controller] | Router] = [
    LogInController,
    AccountController,
    InboxController,
    DeadlineController,
    NoticeController,
    DocumentController,
    DownloadController,
    SigningPageController,
    CheckPageController,
    DispatchController,
    PickerController,
    ControlController,
    MessagePageController,
    ReaderPageController,
    PictureController,
    ReviewPageController,
    UseSearchPageController,
    PublicationPageController,
    EvidencePageController,
    RecordsPageController,
    InventoryPageController,
    ActPageController,
    PrivacyPageController,
    OrganizationPageController,
    AccessPageController,
    JoinPageController,
    CoveragePageController,
    TrustPageController,
    StatePageController,
    StuckController,
    ApiPageController,
    LinkController,
    CodeController,
    _static("/static/swagger", _swagger()),
    _static("/static", pages.HERE / "static"),
]
TEMPLATE_CONFIG = TemplateConfig(instance=JinjaTemplateEngine.from_environment(pages.environment()))
