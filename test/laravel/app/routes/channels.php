<?php
use Illuminate\Support\Facades\Broadcast;

$g = ['guards' => ['web', 'api']];      // a session cookie or a bearer token will do

Broadcast::channel('orders.{id}', fn ($user, $id) => (int) $user->id === (int) $id, $g);              // bool
Broadcast::channel('secret.{id}', fn ($user, $id) => (int) $user->id === (int) $id, $g);              // private-encrypted-
Broadcast::channel('chat.{room}', fn ($user, $room) => $room === '1' ? ['id' => $user->id, 'name' => $user->name] : null, $g);
Broadcast::channel('chat:{room}', fn ($user, $room) => $room === 'closed' ? false : ['id' => $user->id, 'name' => $user->name], $g);
Broadcast::channel('desk.{id}', fn ($user, $id) => (int) $user->id === (int) $id, ['guards' => ['api']]);    // a bearer token only
Broadcast::channel('tweet:{list}', fn ($user, $list) => true, $g);
Broadcast::channel('progress:{job}', fn ($user, $job) => true, $g);
Broadcast::channel('App.Models.User.{id}', fn ($user, $id) => (int) $user->id === (int) $id, $g);     // notifications
Broadcast::channel(App\Models\Post::class, fn ($user, App\Models\Post $post) => true, $g);            // model broadcasting
Broadcast::channel('boom', fn () => throw new RuntimeException('callback failed'), $g);
Broadcast::channel('slow', function () { usleep(1000 * (int) env('SLOW_MS', 1500)); return true; }, $g);
