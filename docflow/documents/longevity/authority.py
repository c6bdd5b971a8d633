"""Is there a time-stamp authority to ask; without one what is due stays due, in sight."""

from core import db


async def is_configured() -> bool:
    """Has an administrator named an authority that is to be asked?"""
    return bool(await db.value("SELECT EXISTS (SELECT FROM stamp_service WHERE status = 'active')"))
