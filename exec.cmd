@rem The shell of Windows has no exec, by which npm start gives its place, and the signals sent to it, to node.
@%*
