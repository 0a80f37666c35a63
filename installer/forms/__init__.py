"""The delivery forms CL-OJ-05 and FO-OJ-21: data, pure rules, signatures, store and print.

The bottom of the house: nothing of ours is imported here, so that the command line, the browser's
door and the vendor's authority can all use it. Sentences carry their three languages with them.
"""
