"""МЭДО, the exchange of documents between state bodies: message folders read and written."""
